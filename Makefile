# make help lists what there is.
.DEFAULT_GOAL := help

.PHONY: help build test race fuzz bench lint ci demo faults fleet real simulate compare clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

build: ## binaries into bin/
	go build -o bin/ ./cmd/...

test: ## all tests
	go test ./...

race: ## tests of the concurrent packages under the race detector
	go test -race ./exec/... ./server/... ./cmd/...

fuzz: ## each fuzz target for 30 s
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep ^Fuzz); do \
	  echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime 30s $$p || exit 1; done; done

bench: ## micro benchmarks
	go test -run '^$$' -bench . -benchmem ./...

lint: ## golangci-lint
	golangci-lint run ./...

ci: ## the gate
	bash .ci/run

demo: ## the main job, once
	go run ./cmd/ksqlgo demo --once

real: ## a part of the tests on Apache Kafka (needs Java 17 and Maven)
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 10m ./tests/apache ./exec/cluster
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 10m ./exec -run 'TestBrokersDie|TestTasksMove|TestStandbyTakesOver|TestLastServerCleansUp'
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 10m ./tests/e2e -run 'TestRestart|TestKafkaPort|TestGallery/.*/as_it_is'
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 10m ./tests/security
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 10m ./tests/fault -run 'TestFleetOnApacheKafka|TestRollingRestart'

fleet: ## the long run: three servers on three brokers, 300 kills, 100 freezes, 200 faults of brokers and network, 3 million inputs
	KSQLGO_TEST_KAFKA=apache go test -count=1 -timeout 4h ./tests/fault -run TestFleetOnApacheKafka -long -v

faults: ## the long kill -9 run (60 kills, 500,000 inputs)
	go test -count=1 -timeout 60m ./tests/fault -run TestKill -long -v

simulate: ## 1000 scenarios of faults against a cluster under virtual time
	go test -count=1 -timeout 60m ./tests/simulation -run TestSimulation -scenarios 1000 -v

compare: ## CPU time per record against raw franz-go, one run
	go test -count=1 -timeout 60m ./tests/compare -run TestCompare -compare -v

clean: ## binaries
	rm -rf bin
