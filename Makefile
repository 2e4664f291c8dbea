# What people and CI run; each target is one command, so that nobody needs make to understand it.

CARGO ?= cargo

.PHONY: test test-api test-browser test-faults soak mutants bench bench-parts fuzz lint audit demo deploy-check dist

# The whole suite, with private PostgreSQL, RabbitMQ and SMTP servers that come and go with it, and a
# short look at the API, which is the same each time. Programs and tests are built together: apart, they would
# differ in features, and most of what they are made of would be built twice.
# The feature lets a test kill a process at a named place; no other build has it.
# Many tests wait for another process most of the time: twice as many at once as there are cores.
test:
	$(CARGO) build --workspace --all-targets --features app/failpoints
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(getconf _NPROCESSORS_ONLN)))} \
	  deploy/test/with-servers $(CARGO) test --workspace --features app/failpoints
	deploy/test/schemathesis 0 --generation-deterministic --max-examples 10

# What operators get, used without a container engine or a cluster: the image's tree, the Compose stack,
# the Helm chart, the systemd units. Built as for the tests, so that they find it done.
deploy-check:
	$(CARGO) build --workspace --all-targets --features app/failpoints
	deploy/test/deploy-check

# What a release has for one kind of machine, into target/dist: the archive, its SBOM, checksums. Minutes.
# make dist TRIPLE=aarch64-unknown-linux-gnu, where its linker is installed.
dist:
	deploy/dist $(if $(TRIPLE),--target $(TRIPLE))

# Five minutes of requests that the OpenAPI document allows and forbids, others each time.
test-api:
	$(CARGO) build
	deploy/test/schemathesis 300

# Every page in a real browser: used, looked at for barriers, and photographed into target/pictures.
test-browser:
	$(CARGO) build
	deploy/test/browse

# All faults, those too that take long; ends with the table that docs/reliability.md shows.
test-faults:
	$(CARGO) build --workspace --all-targets --features app/long-faults
	rm -rf target/tmp/faults
	deploy/test/with-servers $(CARGO) test -p app --features app/long-faults --test it -- faults:: processes:: moving:: batches::large
	deploy/test/fault-table

# Ten bad minutes: 10,000 invitations, mail trouble by chance, processes and the broker killed in turn.
# make soak SEED=7 DATABASE=sqlite
soak:
	$(CARGO) build --workspace --all-targets --features app/long-faults
	SOAK_SEED=$(SEED) SOAK_DATABASE=$(DATABASE) deploy/test/with-servers \
	  $(CARGO) test -p app --features app/long-faults --test it -- --nocapture soak::
	deploy/test/fault-table

# Takes one guard after the other out of a copy of the code; a named test must notice each. An
# hour; make mutants GUARD=relay tries those with that word, GUARD='--since HEAD~20' those in files that
# have changed since.
mutants:
	deploy/test/with-servers deploy/test/mutants $(GUARD)

# How fast, against what this machine can do at best in the same minutes: five of them.
# make bench MODE=large DATABASE=sqlite ROUNDS=3; SCENES=idle,accept for these parts of it alone;
# SETTINGS=WELCOMAT_WORKER_PREFETCH=256 for what a setting does.
bench:
	$(CARGO) build --profile bench -p app --bin welcomat --bench speed
	deploy/test/with-servers --none $(CARGO) bench -p app --bench speed -- \
	  --mode=$(MODE) --database=$(DATABASE) --rounds=$(ROUNDS) --scenes=$(SCENES) \
	  --settings=$(SETTINGS)

# The pure parts alone: rendering, building, parsing, transitions, sealing.
bench-parts:
	$(CARGO) bench -p app --bench parts

# Every fuzz target for this long, with a nightly compiler; `FUZZ=address` picks one.
SECONDS ?= 60
FUZZ ?=
fuzz:
	deploy/fuzz $(SECONDS) $(FUZZ)

# Everything a reviewer should not have to say.
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --document-private-items
	@! command -v shellcheck >/dev/null || shellcheck .ci/run deploy/audit deploy/fuzz \
	  deploy/test/with-servers deploy/test/postgres deploy/test/rabbitmq deploy/test/smtp deploy/test/schemathesis deploy/test/browse \
	  deploy/test/lib.sh deploy/test/fault-table deploy/test/deploy-check deploy/test/image deploy/test/stack \
	  deploy/image/stubs deploy/image/benchless deploy/image/tree deploy/compose/new-secrets deploy/dist deploy/release-notes

# Licences, banned crates, sources and known vulnerabilities of what we build on.
audit:
	deploy/audit

# Invites someone in front of you: no set-up, nothing leaves the machine.
demo:
	$(CARGO) run --quiet -- demo
