//! Deliveries of the app's hook that did not arrive. GitHub repeats none by itself.

use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::{As, Client, Verb};
use crate::call::CallError;

/// Pages that are read at most, of a hundred deliveries each.
const PAGES: usize = 50;

/// A delivery that failed and did not succeed later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedDelivery {
    pub id: u64,
    pub guid: String,
    /// How often it was tried.
    pub attempts: u32,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
    guid: String,
    delivered_at: Timestamp,
    status: String,
}

impl Client {
    /// The failed deliveries since then, the oldest first. Only an app has a list of them.
    pub async fn failed_deliveries(
        &self,
        since: Timestamp,
    ) -> Result<Vec<FailedDelivery>, CallError> {
        let mut found: BTreeMap<String, (bool, FailedDelivery)> = BTreeMap::new();
        let mut cursor: Option<String> = None;
        for _ in 0..PAGES {
            let mut path = "/app/hook/deliveries?per_page=100".to_owned();
            if let Some(cursor) = &cursor {
                // As GitHub spelled it, escapes included.
                path.push_str(&format!("&cursor={cursor}"));
            }
            let answer = self.get(As::Ourselves, &path).await?;
            let items: Vec<Item> = answer.read()?;
            let is_last = items.last().is_none_or(|item| item.delivered_at < since);
            for item in items {
                if item.delivered_at < since {
                    continue;
                }
                let arrived = item.status == "OK";
                let (known, delivery) = found.entry(item.guid.clone()).or_insert_with(|| {
                    let failed = FailedDelivery {
                        id: item.id,
                        guid: item.guid,
                        attempts: 0,
                    };
                    (false, failed)
                });
                *known |= arrived;
                delivery.attempts += 1;
            }
            cursor = answer
                .header("link")
                .and_then(|link| next_page(link, "cursor"));
            if is_last || cursor.is_none() {
                break;
            }
        }
        let mut failed: Vec<FailedDelivery> = found
            .into_values()
            .filter(|(arrived, _)| !arrived)
            .map(|(_, delivery)| delivery)
            .collect();
        failed.sort_by_key(|delivery| delivery.id);
        Ok(failed)
    }

    /// Asks for a delivery once more.
    pub async fn redeliver(&self, id: u64) -> Result<(), CallError> {
        let path = format!("/app/hook/deliveries/{id}/attempts");
        let nothing = http::HeaderMap::new();
        let answer = self
            .send(As::Ourselves, &path, Verb::PostNothing, nothing)
            .await?;
        answer.judged().map(drop)
    }
}

/// Where the next page begins, by the parameter that says so in the `Link` header.
pub(super) fn next_page(link: &str, parameter: &str) -> Option<String> {
    let next = link.split(',').find(|part| part.contains("rel=\"next\""))?;
    let url = next.split('<').nth(1)?.split('>').next()?;
    let query = url.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(parameter)?.strip_prefix('='))
        .filter(|cursor| cursor.chars().all(|c| c.is_ascii_graphic() && c != '#'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_off_the_link() {
        let link =
            "<https://api.github.com/app/hook/deliveries?per_page=100&cursor=v1_2>; rel=\"next\"";
        assert_eq!(next_page(link, "cursor").as_deref(), Some("v1_2"));
        assert_eq!(next_page(link, "after"), None);
        let before = "<https://x/y?cursor=1>; rel=\"prev\"";
        assert_eq!(next_page(before, "cursor"), None);
        assert_eq!(next_page("", "cursor"), None);
    }
}
