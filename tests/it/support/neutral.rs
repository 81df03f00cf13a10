//! Neutral words for what differs from run to run: ports, commits, times, folders, keys. A pinned text has them
//! instead, so that it is the same in each run and still reads like what it was.

/// A page in which everything that differs from run to run has the same name in each.
pub(crate) fn page(text: &str) -> String {
    let text = without_numbers(text, "127.0.0.1:", "PORT");
    // How many entries there are by now depends on who was faster.
    let text = without_numbers(&text, "log ", "N");
    // GitLab numbers jobs and notes from one count, and who is first differs.
    let text = without_numbers(&text, "/-/jobs/", "JOB");
    let text = without_numbers(&text, "<!-- countersign gitlab/9/comment/", "NOTE");
    let text = without_numbers(&text, "(deployment/", "N");
    let text = without_numbers(&text, "/-/pipelines/", "PIPELINE");
    let text = without_heads(&text);
    let mut names = Names::default();
    for word in words(&text) {
        names.learn(word);
    }
    words(&text).map(|word| names.of(word)).collect()
}

/// A head of the log is hidden whatever digits it has; some have no letter.
fn without_heads(text: &str) -> String {
    const MARK: &str = "log N:";
    let mut parts = text.split(MARK);
    let mut neutral = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        neutral.push_str(MARK);
        neutral.push_str(&"x".repeat(part.len() - rest.len()));
        neutral.push_str(rest);
    }
    neutral
}

/// What a terminal showed, without what belongs to this run of the program and to this machine.
pub(crate) fn terminal(text: &str) -> String {
    let text = without_folders(text);
    let text = shaped(&text, "20##-##-##T##:##:##", "2026-01-01T00:00:00");
    let text = shaped(&text, "20##-##-## ##:##:##", "2026-01-01 00:00:00");
    let text = shaped(&text, "20##-##-## ##:##", "2026-01-01 00:00");
    let text = shaped(&text, "20##-##-##", "2026-01-01");
    let text = without_numbers(&text, "our clock is ", "300");
    let text = without_numbers(&text, "ssh -L ", "PORT");
    let text = text.replace(
        concat!("version: ", env!("CARGO_PKG_VERSION")),
        "version: VERSION",
    );
    without_keys(&text)
}

/// A test's folder has a name that was drawn.
fn without_folders(text: &str) -> String {
    const DRAWN: usize = 6;
    let mark = std::env::temp_dir().join(".tmp").display().to_string();
    let mut parts = text.split(&mark);
    let mut neutral = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        neutral.push_str("/folder");
        neutral.push_str(part.get(DRAWN..).unwrap_or_default());
    }
    neutral
}

/// Whatever has this shape, in which `#` is a digit, is called so. Moments lose their fractions with that, and
/// dates of long ago stay: a test has chosen them.
fn shaped(text: &str, shape: &str, name: &str) -> String {
    let mut neutral = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if has_shape(rest, shape) && rest[..4] > *"2020" {
            neutral.push_str(name);
            rest = &rest[shape.len()..];
            if let Some(fraction) = rest.strip_prefix('.') {
                let whole = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
                rest = if whole.len() < fraction.len() {
                    whole
                } else {
                    rest
                };
            }
        } else {
            neutral.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    neutral
}

fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(c, s): (u8, u8)| {
        if s == b'#' {
            c.is_ascii_digit()
        } else {
            c == s
        }
    };
    text.len() >= shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// Keys, signatures and hashes in Base64, and the id in the middle of a public key.
fn without_keys(text: &str) -> String {
    const SHORTEST: usize = 40;
    let is_of_key = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let mut neutral = String::new();
    for piece in text.split_inclusive(|c| !is_of_key(c)) {
        let (word, end) = piece.split_at(piece.find(|c| !is_of_key(c)).unwrap_or(piece.len()));
        let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
        let is_key = word.len() >= SHORTEST
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit);
        match name_of_key(word) {
            Some(name) if is_key => neutral.push_str(&format!("{name}+xxxxxxxx+KEY")),
            _ if is_key => neutral.push_str("BASE64"),
            _ => neutral.push_str(word),
        }
        neutral.push_str(end);
    }
    neutral
}

/// A public key is a name, an id of eight hexadecimal digits and the key; Base64 may have its signs, too.
fn name_of_key(word: &str) -> Option<&str> {
    let mut parts = word.splitn(3, '+');
    let (name, id, _) = (parts.next()?, parts.next()?, parts.next()?);
    (id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit())).then_some(name)
}

/// Words and what stands between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric();
    text.split_inclusive(move |c| !is_of_word(c))
        .flat_map(move |piece| {
            let end = piece.find(|c| !is_of_word(c)).unwrap_or(piece.len());
            [&piece[..end], &piece[end..]]
        })
}

/// Commits and numbers, called after the order in which a page names them.
#[derive(Default)]
struct Names {
    commits: Vec<String>,
    numbers: Vec<String>,
}

impl Names {
    fn learn(&mut self, word: &str) {
        if is_hex(word, 40..=40) && !self.commits.iter().any(|known| known == word) {
            self.commits.push(word.to_owned());
        }
        if is_number(word) && !self.numbers.iter().any(|known| known == word) {
            self.numbers.push(word.to_owned());
        }
    }

    fn of(&self, word: &str) -> String {
        if let Some(place) = self.numbers.iter().position(|known| known == word) {
            return format!("5{place:07}");
        }
        let known =
            (word.len() >= 7).then(|| self.commits.iter().position(|sha| sha.starts_with(word)));
        let place = known.flatten();
        if place.is_none() && !is_hex(word, 7..=64) {
            return word.to_owned();
        }
        let digit = place.map_or('x', |place| {
            char::from(b"0123456789abcdefghijk"[place % 21])
        });
        digit.to_string().repeat(word.len())
    }
}

/// Part of a commit's id or of another digest.
fn is_hex(word: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit();
    let is_letter = |b: u8| (b'a'..=b'f').contains(&b);
    length.contains(&word.len())
        && word.bytes().all(|b| is_digit(b) || is_letter(b))
        && word.bytes().any(is_digit)
        && word.bytes().any(is_letter)
}

/// What the forges of a test count with.
fn is_number(word: &str) -> bool {
    word.len() == 8 && word.starts_with("500") && word.bytes().all(|b| b.is_ascii_digit())
}

/// A number behind this mark is called so.
fn without_numbers(text: &str, mark: &str, name: &str) -> String {
    let mut parts = text.split(mark);
    let mut neutral = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        neutral.push_str(mark);
        if rest.len() < part.len() {
            neutral.push_str(name);
        }
        neutral.push_str(rest);
    }
    neutral
}

#[test]
fn base64_with_the_signs_of_a_key_is_no_key() {
    let base64 = "UXctH2zYmn6eyZn0HynkLxDVrgVO4K+9Whm/F+Kc3dE=";
    assert_eq!(without_keys(base64), "BASE64");
    let key = format!("deploys.example.com+0123abcd+{base64}");
    assert_eq!(without_keys(&key), "deploys.example.com+xxxxxxxx+KEY");
}
