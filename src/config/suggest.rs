//! The suggestion: the word that a misspelt one was meant to be. Stays silent when nothing is close: a wild guess is
//! worse than none.

/// The known word that is closest, when it is close enough to have been meant.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let word = plain(word);
    known
        .into_iter()
        .map(|candidate| (distance(&word, &plain(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(word: &str, candidate: &str) -> usize {
    let plural =
        candidate.strip_suffix('s') == Some(word) || word.strip_suffix('s') == Some(candidate);
    if plural {
        return 0;
    }
    strsim::damerau_levenshtein(word, candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_found_and_far_ones_are_not() {
        let check = |word: &str, expect: Option<&str>| {
            let known = ["branch", "name", "paths", "notify", "environment", "stage"];
            assert_eq!(closest(word, known), expect, "{word}");
        };
        check("brnach", Some("branch"));
        check("Branch", Some("branch"));
        check("path", Some("paths"));
        check("enviroment", Some("environment"));
        check("stages", Some("stage"));
        check("colour", None);
        check("", None);
    }
}
