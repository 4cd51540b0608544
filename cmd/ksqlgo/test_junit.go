package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ksqlgo/ksqlgo/server/sqltest"
)

// The elements of JUnit's XML, as continuous integration reads them.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Cases []junitCase `xml:"testcase"`
		took  time.Duration
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Skipped *junitSkipped `xml:"skipped"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// writeJUnit writes results as JUnit's XML: a suite a file. Tests that were not run are skipped ones.
func writeJUnit(path string, results []testResult, left []sqltest.Case) error {
	all := &junitSuites{Name: "ksqlgo test"}
	byFile := map[string]*junitSuite{}
	suite := func(file string) *junitSuite {
		s := byFile[file]
		if s == nil {
			s = &junitSuite{Name: file}
			byFile[file] = s
			all.Suites = append(all.Suites, s)
		}
		return s
	}
	var total time.Duration
	for i := range results {
		r := &results[i]
		c := junitCaseOf(r.test, r.took)
		s := suite(r.test.File())
		if r.failure != nil {
			first, _, _ := strings.Cut(r.failure.Message, "\n")
			c.Failure = &junitFailure{Message: first, Type: failureKind(r.failure), Text: r.failure.Error()}
			s.Failures++
			all.Failures++
		}
		s.took += r.took
		total += r.took
		s.add(c, &all.junitCounts)
	}
	for _, t := range left {
		c := junitCaseOf(t, 0)
		c.Skipped = &junitSkipped{Message: "interrupted"}
		s := suite(t.File())
		s.Skipped++
		all.Skipped++
		s.add(c, &all.junitCounts)
	}
	for _, s := range all.Suites {
		s.Time = seconds(s.took)
	}
	all.Time = seconds(total)
	text, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o644)
}

func (s *junitSuite) add(c junitCase, all *junitCounts) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	all.Tests++
}

func junitCaseOf(t sqltest.Case, took time.Duration) junitCase {
	return junitCase{Class: t.File(), Name: t.Name(), File: t.File(), Line: t.Line(), Time: seconds(took)}
}

// failureKind is error for a statement that failed, assertion for results that are not as expected.
func failureKind(f *sqltest.Failure) string {
	if f.Source != "" {
		return "error"
	}
	return "assertion"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
