//! What the audit is measured with: a project made here, of code that zooms, code that does not, and
//! a client of v1.

use std::{fmt::Write as _, fs, io, path::Path, sync::LazyLock};

use mappings::Catalog;
use migrate_audit::{Audit, Options};
use tempfile::TempDir;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| match Catalog::embedded() {
    Ok(catalog) => catalog,
    Err(error) => unreachable!("the tests load it too: {error}"),
});

/// One piece of the audit's work.
pub(crate) enum Case {
    /// A tree whose files have no trace of v1: the prefilter.
    Tree(TempDir),
    /// One file that is parsed: its name and text.
    File(&'static str, String),
}

impl Case {
    /// The case of a name: `prefilter`, `project`, `scan_php`, `scan_js` or `scan_json`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "prefilter" => tree(false).ok().map(Self::Tree),
            "project" => tree(true).ok().map(Self::Tree),
            "scan_php" => Some(Self::File("Zoom.php", php())),
            "scan_js" => Some(Self::File("zoom.js", js())),
            "scan_json" => Some(Self::File("zoom.json", json())),
            _ => None,
        }
    }

    /// Does the work and returns how much was found.
    pub(crate) fn run(&self, audit: &Audit) -> usize {
        match self {
            Self::Tree(folder) => audit
                .run(folder.path())
                .map_or(0, |outcome| outcome.findings.len()),
            Self::File(name, text) => audit.run_text(name, text).len(),
        }
    }
}

/// An audit that is ready to run.
pub(crate) fn audit() -> Audit<'static> {
    match Audit::new(&CATALOG, Options::default()) {
        Ok(audit) => audit,
        Err(error) => unreachable!("the tests make it too: {error}"),
    }
}

/// 400 files, 4 MB.
fn tree(client: bool) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for file in 0..400 {
        let part = folder.path().join(format!("part{}", file / 20));
        fs::create_dir_all(&part)?;
        let (name, text) = match file % 4 {
            0 => ("map.js", map(file)),
            1 => ("list.py", list(file)),
            2 => ("data.json", data(file)),
            _ => (
                "notes.md",
                "A file of words, as there are many.\n".repeat(280),
            ),
        };
        fs::write(part.join(format!("{file}{name}")), text)?;
    }
    if client {
        put(folder.path(), "Zoom.php", &php())?;
        put(folder.path(), "zoom.js", &js())?;
    }
    Ok(folder)
}

fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    fs::write(folder.join(name), text)
}

/// Code that zooms.
fn map(file: usize) -> String {
    (0..120).fold(String::new(), |mut text, line| {
        let _ = writeln!(
            text,
            "map{file}.on('zoom', function (e) {{ layer{line}.scale(e.zoom, 'group', {line}); }});"
        );
        text
    })
}

/// Code of another program with alike names.
fn list(file: usize) -> String {
    (0..120).fold(String::new(), |mut text, line| {
        let _ = writeln!(
            text,
            "def view_{file}_{line}(request):\n    return render(request, 'user/list.html', {line})"
        );
        text
    })
}

fn data(file: usize) -> String {
    (0..200).fold(String::from("{\n"), |mut text, line| {
        let _ = writeln!(text, "  \"key{file}_{line}\": \"value {line} of many\",");
        text
    })
}

fn php() -> String {
    let mut text = String::from(
        "<?php\nclass Zoom {\n  const BASE = 'https://api.zoom.us/v1/';\n  function send($path, $data) {\n    \
         $data['api_key'] = $this->key;\n    return curl(self::BASE . $path, $data);\n  }\n",
    );
    for number in 0..100 {
        let _ = writeln!(
            text,
            "  /** Call {number}. */\n  function call{number}($id) {{\n    $data = ['id' => $id, \
             'type' => {number}];\n    return $this->send('user/get', $data);\n  }}"
        );
    }
    text + "}\n"
}

fn js() -> String {
    let mut text = String::from("const base = 'https://api.zoom.us' + '/v1';\n");
    for number in 0..150 {
        let _ = writeln!(
            text,
            "exports.call{number} = (id) => post(`${{base}}/meeting/list?page={number}`, {{ host_id: id }});"
        );
    }
    text
}

fn json() -> String {
    (0..300).fold(String::from("{\n"), |mut text, line| {
        let _ = writeln!(
            text,
            "  \"url{line}\": \"https://api.zoom.us/v1/user/list?page={line}\","
        );
        text
    })
}
