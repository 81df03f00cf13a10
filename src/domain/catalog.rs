//! Stub until the configuration's types arrive.
#[derive(Debug, Default, Clone)]
pub struct Catalog;
impl Catalog {
    pub fn follows_github(&self, _repository: &str) -> bool {
        true
    }
}
