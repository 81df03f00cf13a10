//! Whoever can write into the database cannot start a release: a trigger leaves only when the log holds
//! its decision and its approvals under a signed head.

use countersign::domain::{Action, Actor, Entry};
use countersign::engine::signer::Standing;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use crate::support::database::keys;
use crate::support::log::Hands;
use crate::support::world::{PLAIN, TWO, plain_with};
use crate::support::{Engine, World, eventually, on_both};

on_both!(
    a_trigger_that_nobody_approved_does_not_leave,
    a_copy_of_a_real_trigger_with_another_aim_does_not_leave,
    approvals_out_of_nowhere_start_nothing,
    a_forged_entry_starts_nothing,
    nothing_leaves_while_the_log_is_broken,
);

impl World {
    fn hands(&self) -> impl Future<Output = Hands> {
        Hands::of(&self.database, self.database.folder.path().join("log.head"))
    }

    /// One row as text, column by column.
    async fn text(&self, sql: &str) -> String {
        let mut connection = self.database.direct().await;
        let row = connection.fetch_one(AssertSqlSafe(sql.to_owned())).await;
        row.unwrap().get(0)
    }

    /// How the crew's signer sees the log.
    async fn stands(&self, what: &str, is: impl Fn(&Standing) -> bool) {
        eventually(what, async || {
            self.ring();
            self.standings().iter().any(&is).then_some(())
        })
        .await;
    }

    /// A row among what must be done outside, as if the desk had planned it.
    async fn smuggle(&self, token: &str, effect: &str, cause: i64) {
        let columns = "token, kind, priority, cause, state, due_at, body, channel";
        let kept = "SELECT channel FROM outbox WHERE kind = 'say' LIMIT 1";
        let channel = self.text(kept).await;
        let effect = effect.replace('\'', "''");
        let sql = format!("INSERT INTO outbox ({columns}) VALUES ('{token}', 'trigger', 0, {cause}, 'waiting', 0, '{effect}', '{channel}')");
        self.hands().await.run(sql).await;
        self.shared.decided.notify_waiters();
        self.settle().await;
    }
}
