//! `migrate plan`.

use std::io::{self, Write};

use super::sources::Sources;
use crate::{exit::Exit, site_mappings::SiteMappings};
use migrate_audit::{
    Wave,
    waves::{WaveSteps, Waves},
};
use migrate_report::{
    sheet::{Row, Sheet},
    words::{plain, plain_json},
};

/// Plan the migration of a code base in waves, each with its effort and its check.
///
/// Exit codes: 0, with --check 1 if the wave is not done; 2 an error.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,

    #[command(flatten)]
    mappings: SiteMappings,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,

    /// Show one wave only, and fail while it has a step: the exit check of the wave.
    #[arg(long, value_name = "WAVE", value_enum)]
    check: Option<Wave>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let catalog = args.mappings.catalog()?;
    let found = args.sources.run(&catalog)?;
    if found.interrupted {
        anyhow::bail!("interrupted: a part of the code says nothing of the whole");
    }
    let mut waves = Waves::of(&found.outcome.findings);
    if let Some(name) = args.check {
        waves.waves.retain(|wave| wave.name == name);
    }
    let exit = if !found.outcome.unreadable.is_empty() {
        Exit::Failed
    } else if args.check.is_some() && !waves.waves.is_empty() {
        Exit::Findings
    } else {
        Exit::Clean
    };
    for unreadable in &found.outcome.unreadable {
        let _ = writeln!(
            io::stderr(),
            "not read: {}: {}",
            plain(&unreadable.path),
            unreadable.reason
        );
    }
    let mut out = io::stdout().lock();
    if args.json {
        out.write_all(plain_json(&serde_json::to_string(&waves)?).as_bytes())?;
        writeln!(out)?;
        return Ok(exit);
    }
    if let (true, Some(name)) = (waves.waves.is_empty(), args.check) {
        writeln!(out, "{}: done", name.name())?;
    } else if waves.waves.is_empty() {
        writeln!(out, "no use of v1: nothing to plan")?;
    }
    for (index, wave) in waves.waves.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write(index + 1, wave, &mut out)?;
    }
    Ok(exit)
}

fn write(number: usize, wave: &WaveSteps, out: &mut dyn Write) -> io::Result<()> {
    let mut sheet = Sheet::for_stdout();
    sheet.line(format!("{number}. {}", wave.title));
    sheet.paragraph(3, wave.why);
    let rows: Vec<Row> = wave
        .steps
        .iter()
        .map(|step| {
            let mut places: Vec<String> = step.places.iter().take(5).cloned().collect();
            if step.places.len() > 5 {
                places.push(format!("and {} more", step.places.len() - 5));
            }
            Row {
                cells: vec![
                    step.effort.name().to_owned(),
                    step.what.clone(),
                    step.why.clone(),
                ],
                below: places,
            }
        })
        .collect();
    sheet.rows(3, 1, &rows);
    let check = format!(
        "migrate plan --check {} exits with 0, and {}",
        wave.name.name(),
        wave.check
    );
    sheet.hanging("   done when: ", &check);
    out.write_all(sheet.into_text().as_bytes())
}
