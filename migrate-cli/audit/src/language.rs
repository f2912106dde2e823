//! Language of a file.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// A language or a data format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Language {
    Bash,
    CSharp,
    Go,
    Java,
    JavaScript,
    ObjectiveC,
    Php,
    PowerShell,
    Python,
    Ruby,
    Swift,
    Tsx,
    TypeScript,
    /// Code without a grammar here; only its strings and comments are read.
    OtherCode(Lexis),
    /// Pages and templates: markup with embedded code.
    Markup,
    /// Settings and data: each value is read as a string.
    Data(Format),
    /// Prose about code.
    Prose,
}

/// Comment syntax of a language without a grammar here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lexis {
    /// `//` and `/* */`
    Slashes,
    /// `#`
    Hash,
    /// `#`, and words are strings without quotes
    Words,
    /// `--`
    Dashes,
    /// `'` (the BASIC family)
    Quote,
    /// `;`
    Semicolon,
    /// `%`
    Percent,
}

/// A data format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Json,
    Yaml,
    Toml,
    Properties,
    Xml,
    Sql,
    /// A dependency list: `Gemfile.lock`, `requirements.txt`, `go.mod` …
    Manifest,
    Other,
}

impl Language {
    /// The language of a file, by its name and, for scripts without an extension, its first line.
    pub(crate) fn of(path: &Path, head: &str) -> Self {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        if let Some(language) = by_name(&name) {
            return language;
        }
        match name.rsplit_once('.') {
            Some((_, "m")) if !is_objective_c(head) => Some(Self::OtherCode(Lexis::Percent)),
            Some((stem, extension)) => by_extension(stem, extension),
            None => by_first_line(head),
        }
        .unwrap_or(Self::Data(Format::Other))
    }

    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bash => "shell",
            Self::CSharp => "C#",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::JavaScript => "JavaScript",
            Self::ObjectiveC => "Objective-C",
            Self::Php => "PHP",
            Self::PowerShell => "PowerShell",
            Self::Python => "Python",
            Self::Ruby => "Ruby",
            Self::Swift => "Swift",
            Self::Tsx | Self::TypeScript => "TypeScript",
            Self::OtherCode(_) => "other code",
            Self::Markup => "markup",
            Self::Data(Format::Json) => "JSON",
            Self::Data(Format::Yaml) => "YAML",
            Self::Data(Format::Toml) => "TOML",
            Self::Data(Format::Properties) => "properties",
            Self::Data(Format::Xml) => "XML",
            Self::Data(Format::Sql) => "SQL",
            Self::Data(Format::Manifest) => "dependency list",
            Self::Data(Format::Other) => "text",
            Self::Prose => "prose",
        }
    }

    /// True for code, false for data, prose and pages.
    pub(crate) fn is_code(self) -> bool {
        !matches!(self, Self::Markup | Self::Data(_) | Self::Prose)
    }

    /// The grammar, if there is one.
    pub(crate) fn grammar(self) -> Option<tree_sitter::Language> {
        Some(match self {
            Self::Bash => tree_sitter_bash::LANGUAGE.into(),
            Self::CSharp => tree_sitter_c_sharp::LANGUAGE.into(),
            Self::Go => tree_sitter_go::LANGUAGE.into(),
            Self::Java => tree_sitter_java::LANGUAGE.into(),
            Self::JavaScript => tree_sitter_javascript::LANGUAGE.into(),
            Self::ObjectiveC => tree_sitter_objc::LANGUAGE.into(),
            Self::Php => tree_sitter_php::LANGUAGE_PHP.into(),
            Self::PowerShell => tree_sitter_powershell::LANGUAGE.into(),
            Self::Python => tree_sitter_python::LANGUAGE.into(),
            Self::Ruby => tree_sitter_ruby::LANGUAGE.into(),
            Self::Swift => tree_sitter_swift::LANGUAGE.into(),
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Self::OtherCode(_) | Self::Markup | Self::Data(_) | Self::Prose => return None,
        })
    }

    /// The comment syntax, for reading without a grammar.
    pub(crate) fn lexis(self) -> Option<Lexis> {
        match self {
            Self::Bash | Self::Python | Self::Ruby | Self::PowerShell => Some(Lexis::Hash),
            Self::CSharp
            | Self::Go
            | Self::Java
            | Self::JavaScript
            | Self::ObjectiveC
            | Self::Php
            | Self::Swift
            | Self::Tsx
            | Self::TypeScript => Some(Lexis::Slashes),
            Self::OtherCode(lexis) => Some(lexis),
            Self::Data(Format::Yaml | Format::Toml | Format::Properties | Format::Manifest) => {
                Some(Lexis::Hash)
            }
            Self::Data(Format::Sql) => Some(Lexis::Dashes),
            Self::Markup | Self::Data(_) | Self::Prose => None,
        }
    }
}

/// True if a `.m` file starts like Objective-C; MATLAB has the same extension.
fn is_objective_c(head: &str) -> bool {
    let signs = [
        "#",
        "@import",
        "@interface",
        "@implementation",
        "@class",
        "//",
        "/*",
    ];
    let is_sign = |line: &str| signs.iter().any(|sign| line.trim_start().starts_with(sign));
    head.is_empty() || head.lines().any(is_sign)
}

fn by_name(name: &str) -> Option<Language> {
    let extension = name.rsplit('.').next().unwrap_or_default();
    let language = match name {
        "gemfile" | "rakefile" | "guardfile" | "capfile" | "podfile" | "fastfile"
        | "vagrantfile" => Language::Ruby,
        "gemfile.lock" | "podfile.lock" | "pipfile" | "pipfile.lock" | "go.mod" | "go.sum"
        | "cargo.lock" | "poetry.lock" => Language::Data(Format::Manifest),
        "jenkinsfile" => Language::OtherCode(Lexis::Slashes),
        // Their values are not quoted.
        "makefile" | "gnumakefile" | "dockerfile" | "containerfile" | "procfile" | "justfile" => {
            Language::Data(Format::Properties)
        }
        _ if name.starts_with("dockerfile.") => Language::Data(Format::Properties),
        "readme" | "changelog" | "license" | "contributing" | "todo" | "authors" => Language::Prose,
        _ if name.starts_with("requirements") && extension == "txt" => {
            Language::Data(Format::Manifest)
        }
        _ if name.starts_with(".env") || extension == "env" => Language::Data(Format::Properties),
        _ => return None,
    };
    Some(language)
}

fn by_extension(stem: &str, extension: &str) -> Option<Language> {
    Some(match extension {
        "sh" | "bash" | "zsh" | "ksh" => Language::Bash,
        "cs" | "csx" => Language::CSharp,
        "go" => Language::Go,
        "java" => Language::Java,
        "js" | "jsx" | "mjs" | "cjs" | "es6" | "gs" => Language::JavaScript,
        "m" | "mm" => Language::ObjectiveC,
        "php" | "php3" | "php4" | "php5" | "php7" | "phtml" | "inc" | "module" | "ctp" => {
            Language::Php
        }
        "ps1" | "psm1" | "psd1" => Language::PowerShell,
        "py" | "pyw" | "wsgi" => Language::Python,
        "rb" | "rake" | "gemspec" | "ru" | "thor" | "jbuilder" => Language::Ruby,
        "swift" => Language::Swift,
        "tsx" => Language::Tsx,
        "ts" | "mts" | "cts" => Language::TypeScript,
        "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "kt" | "kts" | "scala" | "rs" | "dart"
        | "groovy" | "gradle" | "as" | "d" | "zig" | "v" | "proto" | "sol" | "hx" | "apex"
        | "cls" | "trigger" | "fs" => Language::OtherCode(Lexis::Slashes),
        "tcl" | "tm" | "exp" | "fish" => Language::OtherCode(Lexis::Words),
        "pl" | "pm" | "t" | "r" | "ex" | "exs" | "nim" | "cr" | "coffee" | "jl" | "cmake"
        | "tf" => Language::OtherCode(Lexis::Hash),
        "lua" | "hs" | "elm" | "adb" | "ads" => Language::OtherCode(Lexis::Dashes),
        "vb" | "vbs" | "bas" | "asp" | "frm" => Language::OtherCode(Lexis::Quote),
        "clj" | "cljs" | "edn" | "lisp" | "el" | "scm" | "rkt" => {
            Language::OtherCode(Lexis::Semicolon)
        }
        "html" | "htm" | "xhtml" | "erb" | "ejs" | "vue" | "svelte" | "jsp" | "jspx" | "aspx"
        | "ascx" | "cshtml" | "razor" | "twig" | "tpl" | "mustache" | "hbs" | "handlebars"
        | "haml" | "slim" | "liquid" | "njk" | "jade" | "pug" | "cfm" | "cfc" | "ftl" | "vm"
        | "astro" | "mdx" => Language::Markup,
        "json" | "ipynb" | "har" | "postman_collection" | "webmanifest" | "jsonc" | "json5" => {
            Language::Data(Format::Json)
        }
        "lock" if stem == "composer" || stem == "package" => Language::Data(Format::Json),
        "yml" | "yaml" => Language::Data(Format::Yaml),
        "toml" => Language::Data(Format::Toml),
        "properties" | "ini" | "conf" | "cfg" | "config" | "env" | "cnf" | "editorconfig"
        | "mk" | "dockerfile" | "http" | "rest" | "hurl" | "tfvars" | "bat" | "cmd" | "service" => {
            Language::Data(Format::Properties)
        }
        "xml" | "plist" | "csproj" | "resx" | "xaml" | "wsdl" | "storyboard" | "xib"
        | "strings" | "remotesite" | "namedcredential" => Language::Data(Format::Xml),
        "sql" | "dump" => Language::Data(Format::Sql),
        "md" | "markdown" | "rst" | "txt" | "adoc" | "asciidoc" | "textile" | "org" | "rdoc"
        | "pod" | "wiki" | "tex" | "log" => Language::Prose,
        _ => return None,
    })
}

fn by_first_line(head: &str) -> Option<Language> {
    let line = head.lines().next()?;
    let interpreter = line.strip_prefix("#!")?;
    let names = [
        ("python", Language::Python),
        ("ruby", Language::Ruby),
        ("node", Language::JavaScript),
        ("php", Language::Php),
        ("pwsh", Language::PowerShell),
        ("perl", Language::OtherCode(Lexis::Hash)),
        ("tclsh", Language::OtherCode(Lexis::Words)),
        ("fish", Language::OtherCode(Lexis::Words)),
        ("sh", Language::Bash),
    ];
    names
        .into_iter()
        .find(|(name, _)| interpreter.contains(name))
        .map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_languages_by_name_extension_and_first_line() {
        let of = |name: &str, head: &str| Language::of(Path::new(name), head);
        assert_eq!(of("a/ZoomAPI.PHP", ""), Language::Php);
        assert_eq!(of("Gemfile", ""), Language::Ruby);
        assert_eq!(
            of("requirements-dev.txt", ""),
            Language::Data(Format::Manifest)
        );
        assert_eq!(of(".env.example", ""), Language::Data(Format::Properties));
        assert_eq!(of("run", "#!/usr/bin/env python3\n"), Language::Python);
        assert_eq!(of("run", "plain"), Language::Data(Format::Other));
    }
}
