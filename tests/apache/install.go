package apache

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed pom.xml
var pom []byte

//go:embed log4j2.properties
var log4j []byte

// installation is a version of Kafka in the user's cache.
type installation struct {
	// dir has lib, log4j2.properties, bootstrap.checkpoint, pom.xml and, perhaps, the archive of classes.
	dir string
	// program is java.
	program string
	// classpath lists the jars in a fixed order, which the archive of classes wants.
	classpath string
	// bootstrap is the checkpoint that every node's directory begins with: the feature levels of this version.
	bootstrap []byte
}

const (
	bootstrapName = "bootstrap.checkpoint"
	archiveName   = "classes.jsa"
	oldestJava    = 17
)

// quick are the flags that make a JVM start soon and stay small.
var quick = []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}

// installed finds the installation, making it the first time.
var installed = sync.OnceValues(func() (*installation, error) {
	program, err := findJava()
	if err != nil {
		return nil, err
	}
	found := regexp.MustCompile(`<kafka\.version>([^<]+)<`).FindSubmatch(pom)
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	parent := filepath.Join(cache, "ksqlgo")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	dir := filepath.Join(parent, "kafka-"+string(found[1]))
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	in := &installation{dir: dir, program: program}
	// The pom is written last: with it the directory is complete.
	if have, err := os.ReadFile(filepath.Join(dir, "pom.xml")); err != nil || !bytes.Equal(have, pom) {
		if err := in.make(); err != nil {
			return nil, err
		}
	}
	return in, in.load()
})

// findJava finds a Java that is new enough.
func findJava() (string, error) {
	program := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		program = filepath.Join(home, "bin", "java")
	}
	program, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%w: no Java: %w", ErrUnavailable, err)
	}
	text, err := exec.Command(program, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s -version: %w\n%s", ErrUnavailable, program, err, text)
	}
	version := regexp.MustCompile(`version "(\d+)`).FindSubmatch(text)
	if version == nil {
		return "", fmt.Errorf("%w: %s -version says %q", ErrUnavailable, program, text)
	}
	if major, err := strconv.Atoi(string(version[1])); err != nil || major < oldestJava {
		return "", fmt.Errorf("%w: Java %s; %d or later is needed", ErrUnavailable, version[1], oldestJava)
	}
	return program, nil
}

// load reads what a complete installation has.
func (in *installation) load() error {
	jars, err := filepath.Glob(filepath.Join(in.dir, "lib", "*.jar"))
	if err != nil {
		return err
	}
	slices.Sort(jars)
	in.classpath = strings.Join(jars, string(filepath.ListSeparator))
	in.bootstrap, err = os.ReadFile(filepath.Join(in.dir, bootstrapName))
	return err
}

// java returns the arguments of any JVM with Kafka's classes, after the flags.
func (in *installation) java(flags ...string) []string {
	return append(flags, "-Djava.awt.headless=true", "-Dlog4j2.disableJmx=true",
		"-Dlog4j2.configurationFile=file:"+filepath.Join(in.dir, "log4j2.properties"), "-cp", in.classpath)
}

// make fetches the jars, formats a directory to get the checkpoint, and runs a broker for a moment to get an archive of its
// classes, which halves what a start costs.
func (in *installation) make() error {
	if err := os.RemoveAll(in.dir); err != nil {
		return err
	}
	lib := filepath.Join(in.dir, "lib")
	if err := os.MkdirAll(lib, 0o755); err != nil {
		return err
	}
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("%w: no Maven to fetch it: %w", ErrUnavailable, err)
	}
	source := filepath.Join(in.dir, "fetch.xml")
	if err := os.WriteFile(source, pom, 0o644); err != nil {
		return err
	}
	fetch := exec.Command(maven, "-q", "-B", "-f", source, "dependency:copy-dependencies", "-DoutputDirectory="+lib, "-DincludeScope=runtime")
	if text, err := fetch.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: Maven cannot fetch it: %w\n%s", ErrUnavailable, err, text)
	}
	if err := write(in.dir, "log4j2.properties", log4j); err != nil {
		return err
	}
	if err := in.formatOnce(); err != nil {
		return err
	}
	if err := in.load(); err != nil {
		return err
	}
	if err := in.archive(); err != nil {
		return err
	}
	return os.Rename(source, filepath.Join(in.dir, "pom.xml"))
}

// formatOnce lets Kafka's own tool format a directory and keeps the checkpoint it writes, which is the same for all nodes.
func (in *installation) formatOnce() error {
	scratch, err := os.MkdirTemp(in.dir, "format-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	if err := write(in.dir, bootstrapName, nil); err != nil {
		return err
	}
	if err := in.load(); err != nil {
		return err
	}
	n := &node{id: 1, in: in, dir: scratch, client: loopback(1), peer: loopback(2), controller: loopback(3), advertised: loopback(1)}
	id, err := uuid()
	if err != nil {
		return err
	}
	if err := n.format(id, []*node{n}); err != nil {
		return err
	}
	data := filepath.Join(scratch, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	args := append(in.java(quick...), "kafka.tools.StorageTool", "format", "-t", id, "-c", filepath.Join(scratch, "server.properties"))
	if text, err := exec.Command(in.program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("formatting Kafka's storage: %w\n%s", err, text)
	}
	return os.Rename(filepath.Join(data, bootstrapName), filepath.Join(in.dir, bootstrapName))
}

// archive runs a broker until it serves and has the JVM keep its classes. Without an archive brokers start all the same.
func (in *installation) archive() error {
	scratch, err := os.MkdirTemp(in.dir, "archive-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	c, err := in.launch(scratch, Options{Brokers: 1, HeapMB: 256}, "-XX:ArchiveClassesAtExit="+filepath.Join(in.dir, archiveName), "-Xlog:cds=off")
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Stop(0)
}
