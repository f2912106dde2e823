//! Finds uses of v1 in a code base.
//!
//! The modules are the stages of a run, in order: `walk` lists the files, `prefilter` drops those
//! without evidence of v1, `facts` extracts facts from one file at a time, `evidence` combines the
//! facts of a project, `judge` decides which facts are uses of v1, and `findings` turns them into
//! findings. `run` connects the stages. `waves` orders the findings into a migration plan, `fix`
//! changes code, `traffic` reads access logs.
//!
//! Shared by all stages: `kind`, `rules` (the data in `rules/`), `knowledge` (v1 as the catalog
//! describes it), `language`, `names`, `source`.

mod evidence;
mod facts;
mod findings;
pub mod fix;
mod judge;
mod kind;
mod knowledge;
mod language;
mod names;
pub mod plain_file;
mod prefilter;
pub mod rules;
mod run;
mod shim_address;
mod source;
pub mod traffic;
mod walk;
pub mod waves;

pub use facts::syntax::isolated;
pub use findings::{
    Advice, Finding, LossyParameter, Shim, SuppressedBy, Suppression, baseline, owners,
};
pub use kind::{Confidence, Effort, Fixable, Kind, KindStep, Level, Traits, Wave};
pub use run::{Audit, AuditError, Options, Outcome, Unreadable};
pub use shim_address::{Moved, ShimUrl, Variable, base_at};
