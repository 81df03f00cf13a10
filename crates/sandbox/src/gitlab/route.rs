//! Routes: which call is answered by which code.

use super::call::{Answer, Call, Outcome};
use super::world::{GUEST, Need, World};

impl World {
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        self.chain.clone_from(&call.chain);
        let answer = match self.route(call) {
            Ok(answer) | Err(answer) => answer,
        };
        self.chain = None;
        answer
    }

    fn route(&mut self, call: &Call) -> Outcome {
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        match (call.method.as_str(), path.as_slice()) {
            ("GET", ["version" | "metadata"]) => self.metadata(call),
            ("GET", ["user"]) => self.who_am_i(call),
            ("GET", ["personal_access_tokens", "self"]) => self.get_own_token(call),
            ("GET", ["users"]) => self.list_people(call),
            ("GET", ["users", id]) => self.get_person(id),
            ("GET", ["groups", group]) => self.get_group(call, group),
            ("GET", ["groups", group, "members", rest @ ..]) => {
                self.group_members(call, group, rest)
            }
            ("GET", ["projects", project, rest @ ..]) => self.look(call, project, rest),
            ("POST", ["projects", project, rest @ ..]) => self.post(call, project, rest),
            ("PUT" | "DELETE", ["projects", project, rest @ ..]) => {
                self.change(call, project, rest)
            }
            _ => Err(Answer::nowhere()),
        }
    }

    /// `GET /version` and `GET /metadata`
    fn metadata(&self, call: &Call) -> Outcome {
        if call.who.is_none() {
            return Err(Answer::unauthorized());
        }
        Answer::ok(serde_json::json!({
            "version": self.version,
            "revision": "0a1b2c3d4e5",
            "kas": {
                "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null,
            },
            "enterprise": self.version.ends_with("-ee"),
        }))
    }

    fn look(&self, call: &Call, project: &str, rest: &[&str]) -> Outcome {
        match rest {
            ["hooks", id, "events"] => return self.hook_events(call, project, id),
            ["hooks", rest @ ..] => return self.look_at_hooks(call, project, rest),
            ["protected_environments"] => return self.protected_environments(call, project, None),
            ["protected_environments", name] => {
                return self.protected_environments(call, project, Some(name));
            }
            _ => {}
        }
        let found = self.reach(call, project, Need::Sight)?;
        match rest {
            [] => self.get_project(call, found),
            ["members", rest @ ..] => self.members(call, found, rest),
            ["events"] => self.list_events(call, found),
            ["merge_requests"] => self.list_merge_requests(call, found),
            ["merge_requests", iid] => self.get_merge_request(found, iid),
            ["merge_requests", iid, "notes"] => self.list_notes(call, found, iid),
            ["merge_requests", iid, "notes", id] => self.get_note(found, iid, id),
            ["merge_requests", iid, "award_emoji"] => self.list_awards(call, found, (iid, None)),
            ["merge_requests", iid, "notes", note, "award_emoji"] => {
                self.list_awards(call, found, (iid, Some(note)))
            }
            _ => {
                self.reach_code(call, project)?;
                self.look_inside(call, found, rest)
            }
        }
    }

    fn look_inside(&self, call: &Call, found: &super::projects::Project, rest: &[&str]) -> Outcome {
        match rest {
            ["repository", "commits", text, "merge_requests"] => {
                self.merge_requests_with(call, found, text)
            }
            ["repository", "commits", text, "statuses"] => self.list_statuses(call, found, text),
            ["repository", "commits", text, "refs"] => self.commit_refs(call, found, text),
            ["repository", "commits", text] => self.get_commit(found, text),
            ["repository", "branches", name] => self.get_branch(found, name),
            ["repository", "tags", name] => self.get_tag(found, name),
            ["repository", "compare"] => self.compare(call, found),
            ["repository", "merge_base"] => self.merge_base(call, found),
            ["pipelines"] => self.list_pipelines(call, found),
            ["pipelines", "latest"] => self.latest_pipeline(call, found),
            ["pipelines", id, rest @ ..] => {
                let pipeline = self.find_pipeline(found, id)?;
                match rest {
                    [] => self.show_pipeline(found, pipeline),
                    ["jobs"] => self.list_jobs(call, found, pipeline),
                    ["bridges"] => self.list_bridges(call, found, pipeline),
                    ["variables"] => self.pipeline_variables(call, found, pipeline),
                    _ => Err(Answer::nowhere()),
                }
            }
            ["jobs"] => self.list_all_jobs(call, found),
            ["jobs", id] => self.get_job(found, id),
            ["environments"] => self.list_environments(call, found),
            ["environments", id] => self.get_environment(found, id),
            ["deployments"] => self.list_deployments(call, found),
            ["deployments", id] => self.get_deployment(found, id),
            _ => Err(Answer::nowhere()),
        }
    }

    fn post(&mut self, call: &Call, project: &str, rest: &[&str]) -> Outcome {
        match rest {
            ["pipeline"] => self.create_pipeline(call, project),
            ["trigger", "pipeline"] => self.trigger_pipeline(call, project, None),
            ["ref", reference, "trigger", "pipeline"] => {
                self.trigger_pipeline(call, project, Some(reference))
            }
            ["pipelines", id, act @ ("cancel" | "retry")] => {
                self.move_pipeline(call, project, (id, act))
            }
            ["jobs", id, "play"] => self.play_job(call, project, id),
            ["jobs", id, "retry"] => self.retry_job(call, project, id),
            ["jobs", id, "cancel"] => self.cancel_job(call, project, id),
            ["statuses", sha] => self.post_status(call, project, sha),
            ["deployments"] => self.post_deployment(call, project),
            ["deployments", id, "approval"] => self.post_approval(call, project, id),
            ["merge_requests", iid, "notes"] => self.post_note(call, project, iid),
            ["merge_requests", iid, "award_emoji"] => self.post_award(call, project, (iid, None)),
            ["merge_requests", iid, "notes", note, "award_emoji"] => {
                self.post_award(call, project, (iid, Some(note)))
            }
            ["hooks"] => self.post_hook(call, project),
            ["hooks", id, "events", event, "resend"] => self.resend(call, project, (id, event)),
            ["hooks", id, "test", trigger] => self.test_hook(call, project, (id, trigger)),
            _ => Err(Answer::nowhere()),
        }
    }

    fn change(&mut self, call: &Call, project: &str, rest: &[&str]) -> Outcome {
        self.reach(call, project, Need::Level(GUEST))?;
        match (call.method.as_str(), rest) {
            ("PUT", ["merge_requests", iid, "notes", id]) => {
                self.put_note(call, project, (iid, id))
            }
            ("PUT", ["deployments", id]) => self.put_deployment(call, project, id),
            ("PUT", ["hooks", id]) => self.put_hook(call, project, id),
            ("DELETE", ["hooks", id]) => self.delete_hook(call, project, id),
            ("DELETE", ["merge_requests", iid, "award_emoji", id]) => {
                self.delete_award(call, project, (iid, None, id))
            }
            ("DELETE", ["merge_requests", iid, "notes", note, "award_emoji", id]) => {
                self.delete_award(call, project, (iid, Some(note), id))
            }
            _ => Err(Answer::nowhere()),
        }
    }
}
