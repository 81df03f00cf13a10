//! The spelling, as literals: the whole text and the digest of each. The digests of the first spelling were made
//! by the program that still named policies so.

use super::{GITHUB, GITLAB, policy};

fn check(file: &str, environment: &str, text: &[&str], digest: &str) {
    let policy = policy(file, environment);
    assert_eq!(policy.text, text.concat(), "{environment}");
    assert_eq!(policy.digest.as_str(), digest, "{environment}");
}

#[test]
fn the_text_on_github_never_changes() {
    check(
        GITHUB,
        "prod",
        &[
            r#"{"approvals":[{"github_roles":["Release manager","maintain"]"#,
            r#","github_teams":["acme/oncall","acme/sre"],"people":2},{"github_users":["hubot""#,
            r#","octocat"],"people":1}]"#,
            r#","branch":"release/2.x""#,
            r#","exclude":["co-author","commit-author","opener","pusher","requester"]"#,
            r#","paths":["shared/{a,b}/*.rs","shop/**"]"#,
            r#","repo":"github:acme/shop""#,
            r#","stages":[{"gates":[{"check":"build \"fast\""},{"check":"lint"}"#,
            r#",{"workflow":"security.yml"}]},{"gates":[{"app":15368,"deployment":"preview"}"#,
            r#",{"deployment":"staging"}],"soak":5400},{"gates":[{"app":15368"#,
            r#","status":"load-test"},{"app":7,"check":"visual"},{"check":"e2e / *"}"#,
            r#",{"status":"ci/größe"}]}]"#,
            r#","trigger":{"environment":"Production (EU)","github":"deployment"}"#,
            r#","v":1}"#,
        ],
        "dde0b9631294754019b1990335a6bcf7e4c6ff8fe5f6da9865669ecde61ac193",
    );
    check(
        GITHUB,
        "canary",
        &[
            r#"{"allow":["drafts","forks","open-heads"]"#,
            r#","approvals":[{"github_roles":["Release manager","maintain"]"#,
            r#","github_teams":["acme/oncall","acme/sre"],"people":1}]"#,
            r#","branch":"release/2.x""#,
            r#","paths":["shared/{a,b}/*.rs","shop/**"]"#,
            r#","repo":"github:acme/shop""#,
            r#","stages":[{"gates":[{"check":"build \"fast\""},{"check":"lint"}"#,
            r#",{"workflow":"security.yml"}]},{"gates":[{"app":15368,"deployment":"preview"}"#,
            r#",{"deployment":"staging"}],"soak":5400}]"#,
            r#","trigger":{"github":"workflow_dispatch","inputs":{"note":"","sha":"{sha}""#,
            r#","target":"{environment}"},"ref":"main","workflow":"deploy.yml"}"#,
            r#","v":1}"#,
        ],
        "a23ea803df41efe498ca9c72cb485e5e66441093a460879d2936a0e3800c89ae",
    );
    check(
        GITHUB,
        "edge",
        &[
            r#"{"approvals":[{"github_users":["hubot","octocat"],"people":2}]"#,
            r#","branch":"release/2.x""#,
            r#","exclude":["co-author","commit-author","opener","pusher"]"#,
            r#","paths":["shared/{a,b}/*.rs","shop/**"]"#,
            r#","repo":"github:acme/shop""#,
            r#","stages":[{"gates":[{"check":"build \"fast\""},{"check":"lint"}"#,
            r#",{"workflow":"security.yml"}]}]"#,
            r#","trigger":{"event_type":"deploy-edge","github":"repository_dispatch"}"#,
            r#","v":1}"#,
        ],
        "26dd10973582c4995551d8011502b53ac2a698be65e8c4bea9296d58a0d2ffb4",
    );
    check(
        GITHUB,
        "prod-eu",
        &[
            r#"{"approvals":[{"github_users":["hubot","octocat"],"people":1}]"#,
            r#","branch":"release/2.x""#,
            r#","exclude":["requester"]"#,
            r#","paths":["shared/{a,b}/*.rs","shop/**"]"#,
            r#","repo":"github:acme/shop""#,
            r#","stages":[{"gates":[{"check":"build \"fast\""},{"check":"lint"}"#,
            r#",{"workflow":"security.yml"}]},{"gates":[{"app":15368,"deployment":"preview"}"#,
            r#",{"deployment":"staging"}],"soak":5400},{"gates":[{"app":15368"#,
            r#","status":"load-test"},{"app":7,"check":"visual"},{"check":"e2e / *"}"#,
            r#",{"status":"ci/größe"}]}]"#,
            r#","trigger":{"environment":"prod-eu","github":"protection_rule"}"#,
            r#","v":1}"#,
        ],
        "3f783210fade4b885d7d96ac1baa782cf426c5f1b9f9ad4b7d574cd60ed51297",
    );
}

#[test]
fn the_text_on_gitlab_never_changes() {
    check(
        GITLAB,
        "prod",
        &[
            r#"{"approvals":[{"gitlab_access_level":"maintainer","gitlab_users":["quinn","tanuki"]"#,
            r#","people":2},{"gitlab_groups":["acme/night/shift","acme/sre"],"people":1}]"#,
            r#","branch":"main""#,
            r#","exclude":["co-author","commit-author","opener","pusher"]"#,
            r#","repo":"gitlab:acme/logistics/warehouse""#,
            r#","stages":[{"gates":[{"job":"build"},{"job":"unit 1/3"},{"pipeline":"*"}]}"#,
            r#",{"gates":[{"deployment":"staging"},{"pipeline":"nightly"}"#,
            r#",{"status":"license-check"}],"soak":600}]"#,
            r#","trigger":{"gitlab":"play_job","job":"deploy-prod"}"#,
            r#","v":1}"#,
        ],
        "be7f31982b1fd32dbea299649ca1c5cc5da7b45ed5a3502a7322eaf9debff8e9",
    );
    check(
        GITLAB,
        "prod-eu",
        &[
            r#"{"allow":["open-heads"]"#,
            r#","approvals":[{"gitlab_groups":["acme/night/shift","acme/sre"],"people":1}]"#,
            r#","branch":"main""#,
            r#","repo":"gitlab:acme/logistics/warehouse""#,
            r#","stages":[{"gates":[{"job":"build"},{"job":"unit 1/3"},{"pipeline":"*"}]}]"#,
            r#","trigger":{"gitlab":"create_pipeline","ref":"releases""#,
            r#","variables":{"RELEASE_SHA":"{sha}","WHERE":"{{{environment}}}"}}"#,
            r#","v":1}"#,
        ],
        "da45a0335c10460ae0ac90cc63ae717be11decbf1f75cbd99dd0b00c5a2968f1",
    );
    check(
        GITLAB,
        "prod-us",
        &[
            r#"{"approvals":[{"gitlab_groups":["acme/night/shift","acme/sre"],"people":1}]"#,
            r#","branch":"main""#,
            r#","exclude":["co-author","commit-author","opener","pusher","requester"]"#,
            r#","repo":"gitlab:acme/logistics/warehouse""#,
            r#","stages":[{"gates":[{"job":"build"},{"job":"unit 1/3"},{"pipeline":"*"}]}"#,
            r#",{"gates":[{"deployment":"staging"},{"pipeline":"nightly"}"#,
            r#",{"status":"license-check"}],"soak":600}]"#,
            r#","trigger":{"gitlab":"trigger_token","ref":"main""#,
            r#","variables":{"RELEASE_SHA":"{sha}"}}"#,
            r#","v":1}"#,
        ],
        "8e44b046f63477636e7042b95ddb4d6a7d8df76735cdd9d641868ddeb974caa8",
    );
    check(
        GITLAB,
        "prod-asia",
        &[
            r#"{"approvals":[{"gitlab_access_level":"maintainer","gitlab_users":["quinn","tanuki"]"#,
            r#","people":1}]"#,
            r#","branch":"main""#,
            r#","exclude":["co-author","commit-author","opener","pusher"]"#,
            r#","repo":"gitlab:acme/logistics/warehouse""#,
            r#","stages":[{"gates":[{"job":"build"},{"job":"unit 1/3"},{"pipeline":"*"}]}"#,
            r#",{"gates":[{"deployment":"staging"},{"pipeline":"nightly"}"#,
            r#",{"status":"license-check"}],"soak":600}]"#,
            r#","trigger":{"environment":"production-asia","gitlab":"approve_then_play"}"#,
            r#","v":1}"#,
        ],
        "af38f731a1c68e3479e0ce9dda7f99324f73cafddf0f43249f942bea9267b6ef",
    );
}

#[test]
fn what_was_asked_for_under_the_first_spelling_is_still_recognised() {
    for (file, environment, digest) in [
        (
            GITHUB,
            "canary",
            "a43daf67510792bb672054b456ddf6046bfd3929ddf4db0d283b3e4bf16a6c20",
        ),
        (
            GITHUB,
            "prod-eu",
            "f543311757a39e9502fc80e0e141ed0d11638cc3607a79fa2fff6a217ca30e2d",
        ),
        (
            GITLAB,
            "prod-eu",
            "8f0fa81e8e67b47196bd2e5d412c1fce01a0123808d6da6a37217e9b0784b560",
        ),
    ] {
        let policy = policy(file, environment);
        assert!(policy.is_named(digest), "{environment}");
        assert!(policy.is_named(policy.digest.as_str()), "{environment}");
        assert_ne!(policy.digest.as_str(), digest, "nothing new is named so");
        assert!(!policy.was_narrower(digest), "{environment}");
    }
}

/// By the text of that day, and by the first spelling.
#[test]
fn what_was_asked_for_while_author_meant_less_is_told_apart() {
    for (file, environment, digests) in [
        (
            GITHUB,
            "prod",
            [
                "a9d030c9e275fd2131d18732d6cb7964e45a55219e52ac4c4db940bec6ec50c6",
                "22095cce09cf8eb7cd5d189a3feaf5ee710b3696193b53bc935b45fcab3810b6",
            ],
        ),
        (
            GITHUB,
            "edge",
            [
                "e6ac0a0b88fb19704ec73403c56d04d42e98f246e8ea6c9d40e5325fc1f01dd9",
                "86f167f84df3381c2ae5ef359795d66a9a8854c44d857503c4c9e58694ff988f",
            ],
        ),
        (
            GITLAB,
            "prod",
            [
                "49135df3b3e05ef50b1d617c2ebc151a0e25be7eacf67a81bedb60fd4dcdcd41",
                "de8d1e2a28e554363873c18b3f6355a67d3f2fcde97a4b4fd61c4145ba836663",
            ],
        ),
        (
            GITLAB,
            "prod-asia",
            [
                "ebf28ce3ef96ad1ae475d04c511e434a8511d6660fd120af9751efb8dabacf5c",
                "46357633bb8c1d557b7dbfbc74265e5556ec4a21fca1686cecd38295c5fa1e4b",
            ],
        ),
        (
            GITLAB,
            "prod-us",
            [
                "98fa37affa57284bc03cc95adff09105201a935e0d99327a559cae268054b27b",
                "8b54b2fa4bac967dd41186848d5f4f7a08385d828822277ba58804ae1d3d28b4",
            ],
        ),
    ] {
        let policy = policy(file, environment);
        for digest in digests {
            assert!(policy.was_narrower(digest), "{environment}");
            assert!(!policy.is_named(digest), "{environment}");
        }
        assert!(!policy.was_narrower(policy.digest.as_str()));
    }
}
