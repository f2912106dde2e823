//! Lists the files of the catalog, so that a new resource needs no line of code.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script lists files, which the core never does"
)]

use std::{env, error::Error, fmt::Write as _, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=api");
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("api");
    let mut names = Vec::new();
    for folder in fs::read_dir(&root)? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(folder.path())? {
            let path = file?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let name = path
                    .strip_prefix(&root)?
                    .to_str()
                    .ok_or("a name is not UTF-8")?;
                names.push(name.replace('\\', "/"));
            }
        }
    }
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        writeln!(
            list,
            "    ({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/api/{name}\"))),"
        )?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("embedded.rs"), list)?;
    Ok(())
}
