//! Exports: what sends the audit log on, made from the configuration.

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::{Export, ExportFormat, ExportPlace};
use crate::engine::Shared;
use crate::engine::shipping::{Shipping, Target};
use crate::evidence::siem::Format;
use crate::outposts::siem::Collector;

/// One for each place that gets the log.
pub(super) fn shipping(exports: &[Export], shared: &Shared) -> anyhow::Result<Vec<Shipping>> {
    let each = exports.iter().map(|export| {
        let target = match &export.to {
            ExportPlace::File(path) => Target::File(path.clone()),
            ExportPlace::Url(url) => {
                let collector = Collector::new(url, token(export))
                    .with_context(|| format!("export {} cannot be used", export.name))?;
                Target::Collector(Box::new(collector))
            }
        };
        let format = match export.format {
            ExportFormat::Ndjson => Format::Ndjson,
            ExportFormat::Ocsf => Format::Ocsf,
            ExportFormat::Ecs => Format::Ecs,
        };
        Ok(Shipping {
            shared: shared.clone(),
            name: export.name.clone(),
            format,
            target,
        })
    });
    each.collect()
}

/// Whether a new configuration sends the log elsewhere or otherwise.
pub(super) fn differ(old: &[Export], new: &[Export]) -> bool {
    let is_same = |(old, new): (&Export, &Export)| {
        (&old.name, &old.to, old.format, token(old)) == (&new.name, &new.to, new.format, token(new))
    };
    old.len() != new.len() || !old.iter().zip(new).all(is_same)
}

fn token(export: &Export) -> Option<&str> {
    export.token.as_ref().map(SecretString::expose_secret)
}
