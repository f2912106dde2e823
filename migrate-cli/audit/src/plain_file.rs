//! Reads files by name. Pipes and devices are refused, because reading them can block or never end.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Take},
    path::Path,
};

/// Largest file that is read into memory, in bytes.
pub const LARGEST: u64 = 256 << 20;

/// Opens a regular file and limits the reader to its current length, because it may be growing.
///
/// # Errors
///
/// Fails if the file cannot be opened or is not a regular file.
pub fn open(path: &Path) -> io::Result<Take<File>> {
    // Opening a pipe would block.
    regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    let about = file.metadata()?;
    regular(&about)?;
    Ok(file.take(about.len()))
}

/// Reads a file of at most `most` bytes into memory.
///
/// # Errors
///
/// Fails if the file cannot be read, is not a regular file, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    if file.limit() > most {
        return Err(io::Error::other(format!("is larger than {most} bytes")));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a UTF-8 file of at most [`LARGEST`] bytes.
///
/// # Errors
///
/// Fails if the file cannot be read, is not a regular file, is larger, or is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path, LARGEST)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn regular(about: &Metadata) -> io::Result<()> {
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return Err(io::Error::other("is neither a folder nor a regular file"));
    }
    Ok(())
}
