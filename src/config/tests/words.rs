//! The words of a report, as a person sees them.

use super::parse;
use super::pinned::Page;

#[test]
fn eight_mistakes_are_all_reported_with_place_and_way_out() {
    let text = r#"[server]
listen = "localhost:7878"
max_conections = 10

[github]
app_id = "12345"
private_key = { env = "KEY" }
webhook_secret = "hunter2-hunter2-hunter2"

[roles.deployer]
github_teams = ["acme/sre"]

[[service]]
name = "Shop"
repo = "github:acme/shop"
brnach = "main"

[[service.stage]]
name = "build"
gates = ["check:build", "job:lint"]

[[service.environment]]
name = "prod"
approvals = { deploier = 1 }
exclude = ["author"]
"#;
    let report = parse(text).unwrap_err();
    assert_eq!(report.problems().len(), 8);
    let expect = r#"error: this is not an address to listen on
 --> bot.toml:2:10
  |
2 | listen = "localhost:7878"
  |          ^^^^^^^^^^^^^^^^
  |
  = help: write numbers and a port, like `127.0.0.1:7878` or `[::]:7878`

error: the key `max_conections` is not known here
 --> bot.toml:3:1
  |
3 | max_conections = **
  | ^^^^^^^^^^^^^^
  |
  = help: did you mean `max_connections`?

error: `app_id` must be a whole number
 --> bot.toml:6:10
  |
6 | app_id = "12345"
  |          ^^^^^^^
  |
  = help: for example: app_id = 12345

error: `webhook_secret` must not stand in this file
 --> bot.toml:8:18
  |
8 | webhook_secret = "***********************"
  |                  ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: put it in the environment, a file or a systemd credential, and write `webhook_secret = { env = "NAME" }`, `{ file = "PATH" }` or `{ credential = "NAME" }`

error: 'S' cannot be part of a name
  --> bot.toml:14:8
   |
14 | name = "Shop"
   |        ^^^^^^
   |
   = help: a name is 1 to 40 lower-case letters, digits and dashes, and begins with a letter or digit, such as `shop`

error: the key `brnach` is not known here
  --> bot.toml:16:1
   |
16 | brnach = "****"
   | ^^^^^^
   |
   = help: did you mean `branch`?

error: GitHub has no gate `job`
  --> bot.toml:20:25
   |
20 | gates = ["check:build", "job:lint"]
   |                         ^^^^^^^^^^
   |
   = help: GitHub has `check`, `status`, `workflow`, `deployment`

error: there is no role `deploier`
  --> bot.toml:24:15
   |
24 | approvals = { deploier = 1 }
   |               ^^^^^^^^
   |
   = help: did you mean `deployer`?

bot.toml: 8 problems
"#;
    assert_eq!(report.to_string(), expect);
}

#[test]
fn several_mistakes_of_syntax_are_shown_together() {
    let page = Page::new("syntax");
    for text in [
        "[server]\nlisten = \"x\"\nlisten = \"y\"\nmax_body = much\n",
        "[server\n",
        "listen = \"127.0.0.1:80\n",
        "server = 5\n",
        "[server]\nlisten = [\n",
    ] {
        page.file(text, text);
    }
    page.pin();
}

#[test]
fn something_that_stands_there_twice_shows_both_places() {
    let text = super::GOOD.replace(
        "exclude = [\"author\"]",
        "aliases = [\"eu\", \"eu\"]\nexclude = []",
    );
    let report = parse(&text).unwrap_err().to_string();
    let expect = r#"error: `eu` appears twice
  --> bot.toml:22:18
   |
22 | aliases = ["eu", "eu"]
   |            ----  ^^^^
   |            |
   |            first here
   |
   = help: remove one of them, or give it another name

bot.toml: 1 problem
"#;
    assert_eq!(report, expect);
}

#[test]
fn an_empty_file_says_what_is_missing() {
    assert_eq!(
        parse("").unwrap_err().to_string(),
        "error: there is no `service`\n |\n = help: describe what is deployed in a `[[service]]`; bot.toml.example shows a whole one\n\nbot.toml: 1 problem\n"
    );
}

#[test]
fn a_former_name_is_in_use_no_more() {
    let text = super::GOOD
        .replace("name = \"shop\"", "name = \"shop\"\nformerly = \"shop\"")
        .replace("name = \"prod\"", "name = \"prod\"\nformerly = \"prod\"");
    let page = Page::new("formerly");
    page.file("of themselves", &text);
    page.pin();
}
