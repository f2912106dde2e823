"""Makes the tree, runs the tools on it in turns, prints medians, ratios, memory and findings."""

import glob
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
import zipfile

FOLDER, ROUNDS = pathlib.Path(sys.argv[1]), int(sys.argv[2])
SKIP = os.environ.get("BENCH_SKIP", "").split()
PATIENCE = int(os.environ.get("BENCH_PATIENCE", "1800"))
HERE = pathlib.Path(__file__).parent
LANGUAGES = {
    "JavaScript": ["string", "template_string"], "TypeScript": ["string", "template_string"],
    "Tsx": ["string", "template_string"], "Python": ["string"], "Ruby": ["string"],
    "Php": ["string", "encapsed_string"], "Go": ["interpreted_string_literal"],
    "Java": ["string_literal"], "CSharp": ["string_literal"], "Swift": ["line_string_literal"],
    "Bash": ["string", "raw_string", "word"], "Json": ["string"],
}
SEMGREP = ["js", "ts", "python", "ruby", "php", "go", "java", "csharp", "swift", "bash", "json"]


def run(*command, **more):
    subprocess.run(command, check=True, **more)


def download(packages):
    """Fetches the packages of the list with their registries' own clients."""
    packages.mkdir(parents=True)
    crates = []
    for line in (HERE / "audit-packages.txt").read_text().splitlines():
        registry, name, version = line.split()
        if registry == "npm":
            run("npm", "pack", "--silent", f"{name}@{version}", cwd=packages,
                stdout=subprocess.DEVNULL)
        elif registry == "pypi":
            run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary",
                ":all:", f"{name}=={version}", "-d", packages)
        else:
            crates.append(f'{name} = "={version}"')
    project = packages / "crates"
    (project / "src").mkdir(parents=True)
    (project / "src/lib.rs").touch()
    (project / "Cargo.toml").write_text(
        '[package]\nname = "crates"\nedition = "2021"\n[workspace]\n[dependencies]\n'
        + "\n".join(crates))
    run("cargo", "vendor", "--quiet", "vendor", cwd=project, stdout=subprocess.DEVNULL)


def unpack(packages, tree):
    for archive in sorted(packages.iterdir()):
        to = tree / archive.stem
        if archive.suffix == ".tgz":
            with tarfile.open(archive) as tar:
                tar.extractall(to, filter="data")
        elif archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(to)
        elif archive.is_dir():
            shutil.copytree(archive / "vendor", to)
    # Clients of v1 among them: what the rules are tested with.
    for client in glob.glob("migrate-cli/audit/rules/*/hit/*"):
        rule, _, name = client.split("/")[-3:]
        shutil.copytree(client, tree / "clients" / rule / name)


def make_tree():
    if "BENCH_TREE" in os.environ:
        return pathlib.Path(os.environ["BENCH_TREE"])
    tree = FOLDER / "tree"
    if not tree.exists():
        packages = FOLDER / "packages"
        shutil.rmtree(packages, ignore_errors=True)
        download(packages)
        unfinished = FOLDER / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unpack(packages, unfinished)
        unfinished.rename(tree)
    return tree


def make_dense_tree():
    """Nothing but clients of v1: what the rules are tested with, several times."""
    tree = FOLDER / "dense"
    shutil.rmtree(tree, ignore_errors=True)
    for copy in range(4):
        for client in glob.glob("migrate-cli/audit/rules/*/hit/*"):
            rule, _, name = client.split("/")[-3:]
            shutil.copytree(client, tree / str(copy) / rule / name)
    return tree


def alternation():
    """Every operation by its path, the base URLs, and the client library."""
    operations = []
    for file in sorted(glob.glob("mappings/api/*/*.toml")):
        text = pathlib.Path(file).read_text()
        operations += re.findall(r'^\[operation\."([^"]+)"\]', text, re.MULTILINE)
    return "|".join([r"zoom\.us/(api/)?v1", "zoomus", *sorted(operations)])


def commands(trees, pattern):
    ast_grep, semgrep = FOLDER / "ast-grep.yml", FOLDER / "semgrep.yml"
    rules = [{"id": f"v1-{language.lower()}", "language": language, "message": "v1",
              "rule": {"any": [{"kind": kind, "regex": pattern} for kind in kinds]}}
             for language, kinds in LANGUAGES.items()]
    ast_grep.write_text("\n---\n".join(json.dumps(rule) for rule in rules))
    semgrep.write_text(json.dumps({"rules": [{
        "id": "v1", "languages": SEMGREP, "message": "v1", "severity": "INFO",
        "pattern": f'"=~/{pattern.replace("/", chr(92) + "/")}/"'}]}))
    all_of = {
        "audit": ["target/dist/migrate", "audit", *trees, "--no-ignore", "--quiet",
                  "--format", "json"],
        "rg": ["rg", "--line-number", "--hidden", "--no-ignore", "-e", pattern, *trees],
        "ast-grep": ["ast-grep", "scan", "--rule", ast_grep, "--json=stream", "--no-ignore",
                     "hidden", "--no-ignore", "vcs", *trees],
        "semgrep": ["semgrep", "scan", "--config", semgrep, "--metrics", "off", "--json",
                    "--disable-version-check", "--no-git-ignore", "--quiet", *trees],
    }
    return {name: list(map(str, command)) for name, command in all_of.items() if name not in SKIP}


def once(name, command):
    """Findings, CPU seconds, memory and seconds by the clock of one run."""
    output = FOLDER / f"{name}.out"
    start = time.monotonic()
    with output.open("w") as out:
        process = subprocess.Popen(["timeout", str(PATIENCE), *command], stdout=out,
                                   stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) == 124:
        return "too long", 0, 0, seconds
    text = output.read_text(errors="replace")
    if name == "audit":
        found = len(json.loads(text)["findings"])
    elif name == "semgrep":
        found = len(json.loads(text)["results"])
    else:
        found = text.count("\n")
    return found, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, seconds


def timed(command):
    """Seconds of one run by the clock."""
    result = FOLDER / "hyperfine.json"
    quoted = " ".join(f"'{part}'" for part in command)
    run("hyperfine", "-N", "--runs", "1", "--ignore-failure", "--style", "none", "--export-json",
        result, quoted, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(result.read_text())["results"][0]["median"]


def main():
    tree = make_tree()
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} files, {size / 1e6:.0f} MB, {os.cpu_count()} cores, {ROUNDS} rounds\n")
    tools = commands([tree], alternation())
    # The first run of each also warms the cache.
    first = {name: once(name, command) for name, command in tools.items()}
    # What takes minutes runs once; what takes a second runs in turns.
    quick = [name for name in tools if name in ("audit", "rg")]
    seconds = {name: [first[name][3]] for name in tools if name not in quick}
    for _ in range(ROUNDS):
        for name in quick:
            seconds.setdefault(name, []).append(timed(tools[name]))
    median = {name: statistics.median(seconds[name]) for name in tools}
    print(f"{'':10}{'seconds':>9}{'CPU s':>9}{'MB':>8}{'findings':>10}   audit takes")
    for name in tools:
        found, cpu, memory, _ = first[name]
        if name in quick:
            cpu = once(name, tools[name])[1]
        ratio = median["audit"] / median[name]
        against = "" if name == "audit" else f"   {ratio:.3f} of it ({1 / ratio:.1f} times as fast)"
        print(f"{name:10}{median[name]:9.2f}{cpu:9.2f}{memory:8.0f}{found:>10}{against}")
    one = [timed(["taskset", "-c", "0", *tools["audit"]]) for _ in range(min(ROUNDS, 3))]
    print(f"\naudit on one core: {statistics.median(one):.2f} s")
    if "rg" in tools:
        on_dense_trees(tree)


def on_dense_trees(tree):
    """A tree where every file is parsed: alone, where starting the program counts, and beside the
    packages."""
    dense = make_dense_tree()
    for name, folders in {"clients only": [dense], "packages and clients": [tree, dense]}.items():
        tools = commands(folders, alternation())
        found = once("audit", tools["audit"])[0]
        seconds = {who: statistics.median(timed(tools[who]) for _ in range(ROUNDS))
                   for who in ("audit", "rg")}
        ratio = seconds["audit"] / seconds["rg"]
        print(f"{name}: {found} findings, {seconds['audit']:.3f} s, {ratio:.2f} times rg")


if __name__ == "__main__":
    main()
