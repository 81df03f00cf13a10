//! Routes: which call is answered by which code. Repositories may be named by number as well, which is where
//! their former names lead.

use super::call::{Answer, Call, Outcome};
use super::world::World;

impl World {
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        let mut answer = match self.route(call) {
            Ok(answer) | Err(answer) => answer,
        };
        let scopes = self.scopes_of(call);
        answer
            .headers
            .extend(scopes.map(|scopes| ("x-oauth-scopes", scopes)));
        answer
    }

    /// The path with the repository's name in place of its number.
    pub(super) fn named_path(&self, path: Vec<String>) -> Vec<String> {
        let named = match path.as_slice() {
            [first, id, rest @ ..] if first == "repositories" => {
                let found = id.parse().ok().and_then(|id| self.repositories.get(&id));
                found.map(|found| {
                    let start = ["repos", found.owner(), found.name()].map(str::to_owned);
                    [start.as_slice(), rest].concat()
                })
            }
            _ => None,
        };
        named.unwrap_or(path)
    }

    fn route(&mut self, call: &Call) -> Outcome {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        match (call.method.as_str(), path.as_slice()) {
            ("GET", ["user"]) => self.who_am_i(call),
            ("GET", ["user", id]) => self.user_by_id(id),
            ("GET", ["users", login]) => self.user_by_login(login),
            ("GET", ["orgs", organization, "teams", slug]) => {
                self.get_team(call, organization, slug)
            }
            ("GET", ["orgs", organization, "teams", slug, "memberships", login]) => {
                self.membership(call, organization, slug, login)
            }
            ("GET", ["orgs", organization, "members", login]) => {
                self.is_member(call, organization, login)
            }
            ("GET", ["app"]) => self.get_our_app(call),
            ("GET", ["apps", slug]) => self.get_app(slug),
            ("GET", ["app", "hook", "config"]) => self.app_hook(call),
            ("GET", ["app", "hook", "deliveries"]) => self.list_deliveries(call),
            ("POST", ["app", "hook", "deliveries", id, "attempts"]) => self.redeliver(call, id),
            ("POST", ["app", "installations", id, "access_tokens"]) => self.issue_token(call, id),
            ("GET", ["repos", owner, name, rest @ ..]) => self.look(call, owner, name, rest),
            ("POST" | "PATCH", ["repos", owner, name, rest @ ..]) => {
                self.act(call, owner, name, rest)
            }
            _ => Err(Answer::not_found()),
        }
    }

    fn look(&mut self, call: &Call, owner: &str, name: &str, rest: &[&str]) -> Outcome {
        match rest {
            [] => self.get_repository(call, owner, name),
            ["installation"] => self.get_installation(call, owner, name),
            ["collaborators", login, "permission"] => self.permission(call, owner, name, login),
            ["pulls", number] => self.get_pull(call, owner, name, number),
            ["commits", text @ .., "statuses"] if !text.is_empty() => {
                self.list_statuses(call, owner, name, &text.join("/"))
            }
            ["commits", text @ .., "status"] if !text.is_empty() => {
                self.combined_status(call, owner, name, &text.join("/"))
            }
            ["commits", text @ .., "check-runs"] if !text.is_empty() => {
                self.list_checks(call, owner, name, &text.join("/"))
            }
            ["commits", sha, "pulls"] => self.pulls_with(call, owner, name, sha),
            ["commits", text @ ..] if !text.is_empty() => {
                self.get_commit(call, owner, name, &text.join("/"))
            }
            ["branches", branch @ ..] if !branch.is_empty() => {
                self.get_branch(call, owner, name, &branch.join("/"))
            }
            ["activity"] => self.activity(call, owner, name),
            ["compare", range @ ..] => self.compare(call, owner, name, &range.join("/")),
            ["hooks"] => self.list_hooks(call, owner, name),
            ["actions", "workflows", file] => self.get_workflow(call, (owner, name), file),
            ["environments", environment] => self.get_environment(call, (owner, name), environment),
            ["environments", environment, "deployment_protection_rules"] => {
                self.list_rules(call, (owner, name), environment)
            }
            ["actions", "runs"] => self.list_runs(call, owner, name),
            ["actions", "runs", id, "jobs"] => self.list_jobs(call, owner, name, id),
            ["actions", "jobs", id] => self.get_job(call, owner, name, id),
            ["actions", "runs", id] => self.get_run(call, owner, name, id),
            ["deployments"] => self.list_deployments(call, owner, name),
            ["deployments", id] => self.get_deployment(call, owner, name, id),
            ["deployments", id, "statuses"] => self.list_stages(call, owner, name, id),
            ["issues", "comments", id] => self.get_comment(call, owner, name, id),
            ["issues", number, "comments"] => self.list_comments(call, owner, name, number),
            _ => Err(Answer::not_found()),
        }
    }

    fn act(&mut self, call: &Call, owner: &str, name: &str, rest: &[&str]) -> Outcome {
        match (call.method.as_str(), rest) {
            ("POST", ["deployments"]) => self.post_deployment(call, owner, name),
            ("POST", ["deployments", id, "statuses"]) => self.post_stage(call, owner, name, id),
            ("POST", ["statuses", sha]) => self.post_status(call, owner, name, sha),
            ("POST", ["dispatches"]) => self.dispatch_repository(call, owner, name),
            ("POST", ["actions", "workflows", file, "dispatches"]) => {
                self.dispatch_workflow(call, owner, name, file)
            }
            ("POST", ["actions", "runs", id, "deployment_protection_rule"]) => {
                self.answer_rule(call, owner, name, id)
            }
            ("POST", ["issues", "comments", id, "reactions"]) => {
                self.post_reaction(call, owner, name, id)
            }
            ("POST", ["issues", number, "comments"]) => {
                self.post_comment(call, owner, name, number)
            }
            ("PATCH", ["issues", "comments", id]) => self.patch_comment(call, owner, name, id),
            _ => Err(Answer::not_found()),
        }
    }
}
