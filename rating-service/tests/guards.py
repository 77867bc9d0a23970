#!/usr/bin/env python3
"""Takes the guards of the service out, one at a time, and looks whether a test notices.

A copy of the committed tree gets a switch at each guard, is built once, and its tests are run with each guard out in turn
(environment variable GUARD_OUT). First they are run with none out: they must pass then.

    rating-service/tests/guards.py [--target FOLDER] [NAME ...]

Prints a table for docs/mutants.md. Ends with 1 if a guard is missed by nobody.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCH = '''
/// Whether a guard is taken out, for the test of tests.
pub fn is_out(guard: &str) -> bool {
    std::env::var("GUARD_OUT").is_ok_and(|out| out == guard)
}
'''

# Name; file below rating-service/src; what stands there, once; what takes its place; the tests that are to notice.
GUARDS = [
    ("signed in", "auth/guard.rs",
     "        if rule.anyone {\n            return Ok(());\n        }\n",
     "        if rule.anyone || crate::is_out(\"signed in\") {\n            return Ok(());\n        }\n",
     "policy::"),
    ("the policy's roles", "auth/guard.rs",
     "retry_after(seconds))?;\n    if !rule.anyone && !rule.allows(&principal) {",
     "retry_after(seconds))?;\n    if !rule.anyone && !rule.allows(&principal) && !crate::is_out(\"the policy's roles\") {", "policy::"),
    ("same site", "auth/guard.rs",
     "if by_cookie && !request.method().is_safe() {",
     "if by_cookie && !request.method().is_safe() && !crate::is_out(\"same site\") {", "manners::"),
    ("requests a minute", "auth/guard.rs",
     ".map_err(|seconds| Problem::new(\"request.too_many\"", ".or_else(|seconds| if crate::is_out(\"requests a minute\") { Ok(()) } else { Err(seconds) })\n        .map_err(|seconds| Problem::new(\"request.too_many\"",
     "manners::"),
    ("reach of a site", "auth/guard.rs",
     "\"site\" => principal.at(value)?,",
     "\"site\" => if !crate::is_out(\"reach of a site\") { principal.at(value)? },", "policy::"),
    ("reach of an occupier", "auth/guard.rs",
     "                principal.of(value)?;\n",
     "                if !crate::is_out(\"reach of an occupier\") {\n                    principal.of(value)?;\n                }\n", "policy::"),
    ("reach of an occupier by site", "auth/guard.rs",
     "if principal.is_operator()\n", "if principal.is_operator() && !crate::is_out(\"reach of an occupier by site\")\n", "policy::"),
] + [
    (f"reach of a {kind}", "auth/guard.rs", None, kind, "policy:: portal::") for kind in
    ["Contract", "Service", "User", "Token", "Number", "Assignment", "Source"]
] + [
    ("active user", "auth/guard.rs",
     "if user.state != \"active\" {", "if user.state != \"active\" && !crate::is_out(\"active user\") {", "sessions:: portal::"),
    ("open portal, in a session", "auth/guard.rs",
     "&& !reach::portal_is_open(reader.on(), occupier).await?\n",
     "&& !reach::portal_is_open(reader.on(), occupier).await?\n        && !crate::is_out(\"open portal, in a session\")\n", "portal::"),
    ("open portal, at sign-in", "http/session.rs",
     "let is_open = account.company.is_empty() ||",
     "let is_open = crate::is_out(\"open portal, at sign-in\") || account.company.is_empty() ||", "portal:: sessions::"),
    ("active user, at sign-in", "http/session.rs",
     "if is_active && is_open {", "if (is_active || crate::is_out(\"active user, at sign-in\")) && is_open {", "portal:: sessions::"),
    ("right password", "http/session.rs",
     "if password::verify(given.clone(), account.password.clone()).await? {",
     "if password::verify(given.clone(), account.password.clone()).await? || crate::is_out(\"right password\") {", "sessions:: portal::"),
    ("failed sign-ins are counted", "http/session.rs",
     "    app.sign_ins.check(&email, now).map_err(too_many)?;",
     "    if !crate::is_out(\"failed sign-ins are counted\") {\n        app.sign_ins.check(&email, now).map_err(too_many)?;\n    }", "sessions::"),
    ("columns of the level", "publish/download.rs",
     "visible::columns(*report, visibility)?",
     "visible::columns(*report, if crate::is_out(\"columns of the level\") { &Visibility::ALL } else { visibility })?", "report_rules::"),
    ("masking", "publish/download.rs",
     "let masks = visibility.called_numbers == CalledNumbers::Masked;",
     "let masks = visibility.called_numbers == CalledNumbers::Masked && !crate::is_out(\"masking\");", "report_rules::"),
    ("the month so far", "publish/download.rs",
     "(version.is_provisional() && !visibility.usage_to_date)",
     "(version.is_provisional() && !visibility.usage_to_date && !crate::is_out(\"the month so far\"))", "usage_rules::"),
    ("rows of other sites", "publish/download.rs",
     "Of::AllSites => Some(Shape { sites: Some(sites.clone())",
     "Of::AllSites if crate::is_out(\"rows of other sites\") => None,\n                Of::AllSites => Some(Shape { sites: Some(sites.clone())", "report_rules::"),
    ("audit note", "store/mod.rs",
     "            audit::append(&mut self.transaction, self.at, &self.actor, &entry).await?;",
     "            if !crate::is_out(\"audit note\") {\n                audit::append(&mut self.transaction, self.at, &self.actor, &entry).await?;\n            }", "occupiers:: portal:: months::"),
    ("no change without a note", "store/mod.rs",
     "if self.entries.is_empty() {", "if self.entries.is_empty() && !crate::is_out(\"no change without a note\") {", "manners::"),
    ("If-Match", "http/conditions.rs",
     "tag == \"*\") {", "tag == \"*\") || crate::is_out(\"If-Match\") {", "manners::"),
    ("a secret is not kept with its key", "http/idempotency.rs",
     "match parts.extensions.get::<Secret>() {",
     "match parts.extensions.get::<Secret>().filter(|_| !crate::is_out(\"a secret is not kept with its key\")) {", "manners::"),
    ("only one's own number", "http/numbers.rs",
     "principal.role() == Some(Role::OccupierView) && !is_own(principal, &number.facts)",
     "principal.role() == Some(Role::OccupierView) && !is_own(principal, &number.facts) && !crate::is_out(\"only one's own number\")", "portal::"),
    ("only one's own number in lists", "http/numbers.rs",
     "Principal::User { id, role: Role::OccupierView, .. } => Some(id.clone()),",
     "Principal::User { id, role: Role::OccupierView, .. } if !crate::is_out(\"only one's own number in lists\") => Some(id.clone()),", "portal::"),
    ("all sites, for what concerns all", "http/files.rs",
     "if *principal.sites() == Sites::All {", "if *principal.sites() == Sites::All || crate::is_out(\"all sites, for what concerns all\") {", "rates:: months:: policy::"),
    ("protected administrators", "http/occupier_users.rs",
     "            return Err(protected());\n        }\n        keep_one", "            if !crate::is_out(\"protected administrators\") {\n                return Err(protected());\n            }\n        }\n        keep_one", "portal::"),
    ("a zone that is dated", "http/sites.rs",
     "settings.zone != site.zone &&", "settings.zone != site.zone && !crate::is_out(\"a zone that is dated\") &&", "manners::"),
    ("sites of active services", "http/active_services.rs",
     "None => principal.sites().filter(),", "None => principal.sites().filter().filter(|_| !crate::is_out(\"sites of active services\")),", "services::"),
    ("sites of exports", "http/exports.rs",
     "!principal.sites().has(&charged.site)", "!(principal.sites().has(&charged.site) || crate::is_out(\"sites of exports\"))", "exports::"),
]


def patched(text, name, old, new):
    """The text with the switch in place of the guard."""
    if old is None:
        # The guard of all kinds, once: it asks for the kind that is out.
        old = "if foreign_site || foreign_occupier {"
        new = "if (foreign_site || foreign_occupier) && !crate::is_out(&format!(\"reach of a {kind:?}\")) {"
        if new in text:
            return text
    count = text.count(old)
    if count != 1:
        sys.exit(f"the guard `{name}` is there {count} times, not once: say anew where it is")
    return text.replace(old, new)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", help="build there; left out, in a folder that goes away")
    parser.add_argument("--tree", help="put the copy there and leave it, so that the next run builds less")
    parser.add_argument("--check", action="store_true", help="only look whether each guard is where it is said to be")
    parser.add_argument("names", nargs="*", help="only these guards")
    given = parser.parse_args()
    guards = [guard for guard in GUARDS if not given.names or guard[0] in given.names]
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(given.tree or pathlib.Path(folder) / "tree").resolve()
        tree.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-x", "-C", tree], input=archive, check=True)
        source = tree / "rating-service" / "src"
        for name, file, old, new, _ in GUARDS:
            path = source / file
            path.write_text(patched(path.read_text(), name, old, new))
        library = source / "lib.rs"
        library.write_text(library.read_text() + SWITCH)
        if given.check:
            print(f"{len(GUARDS)} guards are where they are said to be")
            return
        environment = dict(os.environ, CARGO_TARGET_DIR=given.target or str(pathlib.Path(folder) / "target"), RUST_BACKTRACE="0")
        built = subprocess.run(
            ["cargo", "test", "-p", "rating-service", "--test", "service", "--no-run", "--message-format", "json"],
            cwd=tree, env=environment, stdout=subprocess.PIPE, text=True)
        made = [json.loads(line).get("executable") for line in built.stdout.splitlines() if line.startswith("{")]
        if built.returncode or not any(made):
            sys.exit("the copy with its switches does not build")
        # A copy, which nobody builds anew meanwhile.
        binary = pathlib.Path(folder) / "service"
        shutil.copy2([path for path in made if path][-1], binary)
        test = [binary, "--quiet"]

        # The switch is in rooms that may not name it.
        test += ["--skip", "layering::"]

        def run(filters, out=None):
            begun = time.monotonic()
            more = {"GUARD_OUT": out} if out else {}
            done = subprocess.run(test + filters, cwd=tree / "rating-service", env={**environment, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            failed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("    ") and "::" in line and " " not in line.strip()]
            return done.returncode, sorted(set(failed)), done.stdout, time.monotonic() - begun

        code, failed, said, took = run(sorted({word for guard in guards for word in guard[4].split()}))
        if code:
            sys.exit(f"with every guard in place tests fail:\n{said[-4000:]}")
        print(f"all in place: passed in {took:.0f} s", file=sys.stderr)
        missed = []
        print("| guard taken out | tests that notice |\n| --- | --- |")
        for name, _, _, _, filters in guards:
            code, failed, said, took = run(filters.split(), name)
            if code and not failed:
                sys.exit(f"{name}: the tests did not run:\n{said[-4000:]}")
            if not code:
                missed.append(name)
            first = ", ".join(f"`{test}`" for test in failed[:2])
            more = f" and {len(failed) - 2} more" if len(failed) > 2 else ""
            print(f"| {name} | {first + more if failed else '**none**'} |", flush=True)
            print(f"{name}: {len(failed)} in {took:.0f} s", file=sys.stderr, flush=True)
        sys.exit(f"missed by nobody: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
