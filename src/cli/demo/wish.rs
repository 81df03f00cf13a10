//! Wishes: the platforms that a person asks for by an option. A build holds only those that its features name; for the
//! others it says who builds them.

/// An option of the demo, and whether it can be had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) is_asked: bool,
    pub(super) is_held: bool,
    pub(super) option: &'static str,
    /// The platform.
    pub(super) name: &'static str,
}

/// What this build cannot do of these wishes, and the way out; nothing where it does all of them.
pub(super) fn refusal(wishes: &[Wish]) -> Option<String> {
    let asked = || wishes.iter().filter(|wish| wish.is_asked);
    let missing: Vec<String> = asked()
        .filter(|wish| !wish.is_held)
        .map(|wish| format!("no small {}", wish.name))
        .collect();
    let options: Vec<&str> = asked().map(|wish| wish.option).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "This build has {}. In a checkout, `script/demo {}` builds one that does.",
            missing.join(" and "),
            options.join(" ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_does_not_have_is_said_with_a_way_out() {
        let wish = |is_asked, is_held, option, name| Wish {
            is_asked,
            is_held,
            option,
            name,
        };
        let both = |[one, other]: [(bool, bool); 2]| {
            refusal(&[
                wish(one.0, one.1, "--gitlab", "GitLab"),
                wish(other.0, other.1, "--slack", "Slack"),
            ])
        };
        assert_eq!(both([(false, false), (true, true)]), None);
        for (wishes, expect) in [
            (
                [(true, false), (false, false)],
                "This build has no small GitLab. In a checkout, `script/demo --gitlab` builds one that does.",
            ),
            (
                [(true, true), (true, false)],
                "This build has no small Slack. In a checkout, `script/demo --gitlab --slack` builds one that does.",
            ),
            (
                [(true, false), (true, false)],
                "This build has no small GitLab and no small Slack. In a checkout, `script/demo --gitlab --slack` \
                 builds one that does.",
            ),
        ] {
            assert_eq!(both(wishes).as_deref(), Some(expect));
        }
    }
}
