//! Reads and writes the baseline file.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context;

use migrate_audit::{baseline::Baseline, plain_file};

/// Default file name, in the audited folder.
const NAME: &str = ".migrate-baseline";

/// Reads the named baseline, or the default one in the audited folder. A missing file is an empty
/// baseline.
pub(crate) fn read(named: Option<&Path>, folder: &Path) -> anyhow::Result<(PathBuf, Baseline)> {
    let path = named.map_or_else(|| folder.join(NAME), Path::to_owned);
    let text = match plain_file::read_text(&path) {
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

/// Writes the baseline atomically: to a temporary file that replaces the old one.
pub(crate) fn write(path: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    let context = || format!("cannot write the baseline {}", path.display());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut new = tempfile::Builder::new()
        .prefix(".migrate-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(context)?;
    new.write_all(baseline.to_string().as_bytes())
        .with_context(context)?;
    // Temporary files are private; a shared baseline must be readable by the team.
    match std::fs::metadata(path) {
        Ok(about) => new.as_file().set_permissions(about.permissions()),
        Err(_) => readable(new.as_file()),
    }
    .with_context(context)?;
    new.persist(path).with_context(context)?;
    Ok(())
}

#[cfg(unix)]
fn readable(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}
