# What people and CI run; each target is one command, so that nobody needs make to understand it.

CARGO ?= cargo

.PHONY: test test-api fuzz lint audit demo

# The whole suite, with private PostgreSQL, RabbitMQ and SMTP servers that come and go with it, and a
# short look at the API, which is the same each time. Programs and tests are built together: apart, they would
# differ in features, and most of what they are made of would be built twice.
test:
	$(CARGO) build --workspace --all-targets
	deploy/test/with-servers $(CARGO) test --workspace
	deploy/test/schemathesis 30 --generation-deterministic

# Five minutes of requests that the OpenAPI document allows and forbids, others each time.
test-api:
	$(CARGO) build
	deploy/test/schemathesis 300

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
	  deploy/test/with-servers deploy/test/postgres deploy/test/rabbitmq deploy/test/smtp deploy/test/schemathesis \
	  deploy/test/lib.sh

# Licences, banned crates, sources and known vulnerabilities of what we build on.
audit:
	deploy/audit

# Invites someone in front of you: no set-up, nothing leaves the machine.
demo:
	$(CARGO) run --quiet -- demo
