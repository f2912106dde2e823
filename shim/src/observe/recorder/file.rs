//! A file with rotation by size.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::Sink;
use crate::{private_file::owner_only, settings::RecordConfig};

/// The current file and its rotated predecessors.
pub(super) struct RotatedFile {
    path: PathBuf,
    max_bytes: u64,
    files: usize,
    /// Current file and its size; `None` after a failure.
    open: Option<(File, u64)>,
}

impl RotatedFile {
    pub(super) fn open(config: &RecordConfig) -> io::Result<Self> {
        Ok(Self {
            path: config.file.clone(),
            max_bytes: config.max_bytes,
            files: config.files.max(1),
            open: Some(open(&config.file)?),
        })
    }

    /// Renames each file to the next older name and opens a new one.
    fn rotate(&mut self) -> io::Result<(File, u64)> {
        for age in (1..self.files).rev() {
            let from = if age == 1 {
                self.path.clone()
            } else {
                self.older(age - 1)
            };
            match fs::rename(from, self.older(age)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if self.files == 1 {
            fs::remove_file(&self.path)?;
        }
        open(&self.path)
    }

    fn older(&self, age: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{age}"));
        name.into()
    }
}

impl Sink for RotatedFile {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let (mut file, size) = match self.open.take() {
            Some((_, size)) if size > 0 && size + length > self.max_bytes => self.rotate()?,
            Some(open) => open,
            None => open(&self.path)?,
        };
        if let Err(error) = file.write_all(line) {
            // A partial line would corrupt the next one.
            let _ = file.set_len(size);
            return Err(error);
        }
        self.open = Some((file, size + length));
        Ok(())
    }
}

/// Opens for the owner alone, because recordings may contain names and addresses.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    owner_only(options.create(true).append(true));
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, files: usize) -> RecordConfig {
        RecordConfig {
            max_bytes: 10,
            files,
            ..RecordConfig::new(folder.join("r.jsonl"))
        }
    }

    fn texts(folder: &Path) -> Vec<String> {
        ["r.jsonl", "r.jsonl.1", "r.jsonl.2", "r.jsonl.3"]
            .iter()
            .map(|name| fs::read_to_string(folder.join(name)).unwrap_or("-".to_owned()))
            .collect()
    }

    #[test]
    fn rotates_files_by_size() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatedFile::open(&config(folder.path(), 3)).unwrap();
        for line in [
            "11\n",
            "22\n",
            "33\n",
            "44\n",
            "5 longer than a file\n",
            "6\n",
        ] {
            file.append(line.as_bytes()).unwrap();
        }
        let expected = ["6\n", "5 longer than a file\n", "44\n", "-"];
        assert_eq!(texts(folder.path()), expected);
    }

    #[test]
    fn truncates_a_single_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatedFile::open(&config(folder.path(), 1)).unwrap();
        file.append(b"11111111\n").unwrap();
        file.append(b"2\n").unwrap();
        file.append(b"3\n").unwrap();
        assert_eq!(texts(folder.path()), ["2\n3\n", "-", "-", "-"]);
    }

    #[test]
    fn appends_to_an_existing_file() {
        let folder = tempfile::tempdir().unwrap();
        for line in ["1\n", "2\n"] {
            let mut file = RotatedFile::open(&config(folder.path(), 2)).unwrap();
            file.append(line.as_bytes()).unwrap();
        }
        assert_eq!(texts(folder.path()), ["1\n2\n", "-", "-", "-"]);
    }

    #[test]
    fn continues_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let mut file = RotatedFile::open(&config(&inner, 2)).unwrap();
        file.append(b"12345678\n").unwrap();
        fs::remove_dir_all(&inner).unwrap();
        assert!(
            file.append(b"lost\n").is_err(),
            "there is nothing to rotate into"
        );
        fs::create_dir(&inner).unwrap();
        file.append(b"9\n").unwrap();
        assert_eq!(texts(&inner), ["9\n", "-", "-", "-"]);
    }

    #[cfg(unix)]
    #[test]
    fn file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        RotatedFile::open(&config(folder.path(), 2)).unwrap();
        let mode = fs::metadata(folder.path().join("r.jsonl"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
