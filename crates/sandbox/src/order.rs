//! The order in which deliveries leave that were held back.

/// In which order held deliveries leave.
#[derive(Clone, Debug)]
pub enum Order {
    AsTheyCame,
    Backwards,
    /// As these positions say; what is not named is lost.
    Chosen(Vec<usize>),
}

impl Order {
    pub(super) fn of<T: Clone>(&self, mut held: Vec<T>) -> Vec<T> {
        match self {
            Self::AsTheyCame => held,
            Self::Backwards => {
                held.reverse();
                held
            }
            Self::Chosen(places) => {
                let picked = places.iter().filter_map(|place| held.get(*place));
                picked.cloned().collect()
            }
        }
    }
}
