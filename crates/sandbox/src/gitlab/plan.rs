//! Plans: what a pipeline of a project consists of, as its `.gitlab-ci.yml` would say it.

/// One job of every pipeline.
#[derive(Clone, Debug)]
pub struct JobPlan {
    pub(super) name: String,
    pub(super) stage: String,
    pub(super) is_manual: bool,
    pub(super) may_fail: bool,
    pub(super) environment: Option<String>,
    /// The jobs of the child pipeline that it starts.
    pub(super) child: Vec<JobPlan>,
}

impl JobPlan {
    /// Runs when the stages before it have passed. Stages come in the order of their first jobs.
    pub fn new(name: &str, stage: &str) -> Self {
        Self {
            name: name.to_owned(),
            stage: stage.to_owned(),
            is_manual: false,
            may_fail: false,
            environment: None,
            child: Vec::new(),
        }
    }

    /// Waits to be played, and the pipeline does not wait for it.
    #[must_use]
    pub fn manual(mut self) -> Self {
        self.is_manual = true;
        self.may_fail = true;
        self
    }

    /// Waits to be played, and the pipeline with it.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.is_manual = true;
        self.may_fail = false;
        self
    }

    #[must_use]
    pub fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    /// Deploys.
    #[must_use]
    pub fn to(mut self, environment: &str) -> Self {
        self.environment = Some(environment.to_owned());
        self
    }

    /// Starts a child pipeline and fares as it does.
    #[must_use]
    pub fn starting(mut self, child: Vec<Self>) -> Self {
        self.child = child;
        self
    }
}

/// What a new project has.
pub(super) fn usual() -> Vec<JobPlan> {
    vec![
        JobPlan::new("build", "build"),
        JobPlan::new("test", "test"),
        JobPlan::new("deploy-staging", "staging").to("staging"),
        JobPlan::new("deploy-prod", "production")
            .manual()
            .to("production"),
    ]
}
