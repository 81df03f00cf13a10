//! The service's tasks, kept together: one that ends on its own, or dies, ends the service with a failure, so that
//! whatever restarts it can do so.

use std::future::Future;

use tokio::task::JoinSet;

/// The tasks of the service, by name.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    running: JoinSet<&'static str>,
    names: Vec<(tokio::task::Id, &'static str)>,
}

/// A task that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) name: &'static str,
    pub(super) died: bool,
}

impl Tasks {
    pub(super) fn start(
        &mut self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let handle = self.running.spawn(async move {
            work.await;
            name
        });
        self.names.push((handle.id(), name));
    }

    /// The next task that ends; `None` when all have.
    pub(super) async fn next(&mut self) -> Option<Ended> {
        let ended = match self.running.join_next().await? {
            Ok(name) => Ended { name, died: false },
            Err(error) => Ended {
                name: self.name_of(error.id()),
                died: true,
            },
        };
        Some(ended)
    }

    /// How many still run.
    pub(super) fn left(&self) -> usize {
        self.running.len()
    }

    fn name_of(&self, id: tokio::task::Id) -> &'static str {
        self.names
            .iter()
            .find(|(known, _)| *known == id)
            .map_or("unknown", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_dies_is_told_from_one_that_ends() {
        let mut tasks = Tasks::default();
        tasks.start("quiet", async {});
        tasks.start("loud", async { panic!("planted") });
        let mut ended = Vec::new();
        while let Some(one) = tasks.next().await {
            ended.push((one.name, one.died));
        }
        ended.sort_unstable();
        assert_eq!(ended, [("loud", true), ("quiet", false)]);
    }
}
