//! Where the baseline is read from and written to.

use std::{
    io,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::audit::baseline::Baseline;

/// The name of the file in an audited folder.
const NAME: &str = ".migrate-baseline";

/// Reads the baseline that is named, or the one in the audited folder; an empty one if that does
/// not exist.
pub(crate) fn read(named: Option<&Path>, folder: &Path) -> anyhow::Result<(PathBuf, Baseline)> {
    let path = named.map_or_else(|| folder.join(NAME), Path::to_owned);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok((path, Baseline::default()));
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the baseline {}", path.display()));
        }
    };
    let baseline = Baseline::parse(&text).with_context(|| path.display().to_string())?;
    Ok((path, baseline))
}

/// Writes a baseline.
pub(crate) fn write(path: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    std::fs::write(path, baseline.to_string())
        .with_context(|| format!("cannot write the baseline {}", path.display()))
}
