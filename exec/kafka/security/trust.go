package security

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// readTrust reads who may sign brokers' certificates. None when no property says it.
func readTrust(v *values, logger *slog.Logger) (w *watched[*x509.CertPool], from string, err error) {
	const inline, store, file = "ssl.truststore.certificates", "ssl.truststore.location", "ssl.ca.location"
	if from, err = v.only(inline, store, file); err != nil || from == "" {
		for _, alone := range []string{"ssl.truststore.password", "ssl.truststore.type"} {
			if err == nil && v.has(alone) {
				v.warn("%s has no effect without %s; the system's certificates are trusted", v.called(alone), store)
			}
		}
		return nil, from, err
	}
	kind, err := v.kind("ssl.truststore.type")
	if err != nil {
		return nil, from, err
	}
	var files []string
	var read func() ([]*x509.Certificate, error)
	switch from {
	case inline:
		if kind != "" && kind != pemStore {
			return nil, from, v.errorf("ssl.truststore.type", "it is %s, but %s is PEM", kind, v.called(inline))
		}
		read = func() ([]*x509.Certificate, error) { return pemCertificates(v.get(inline)) }
	case file:
		files = []string{v.get(file)}
		read = func() ([]*x509.Certificate, error) {
			text, err := readFile(v.get(file))
			if err != nil {
				return nil, err
			}
			return pemCertificates(string(text))
		}
	default:
		files = []string{v.get(store)}
		s := keyFile{path: v.get(store), kind: kind, password: v.get("ssl.truststore.password"), hasPassword: v.has("ssl.truststore.password"),
			passwordName: v.called("ssl.truststore.password"), kindName: v.called("ssl.truststore.type")}
		read = s.trusted
	}
	w, err = newWatched(v.called(from), files, func() (*x509.CertPool, error) {
		certificates, err := read()
		if err == nil && len(certificates) == 0 {
			err = errors.New("it holds no trusted certificate")
		}
		if err != nil {
			return nil, v.fileError(from, files, err)
		}
		pool := x509.NewCertPool()
		for _, c := range certificates {
			pool.AddCert(c)
		}
		return pool, nil
	}, logger)
	return w, v.called(from), err
}

// only gives the one of the properties that is set, or none. Each stands for the same thing.
func (v *values) only(names ...string) (string, error) {
	var given []string
	for _, n := range names {
		if v.has(n) {
			given = append(given, n)
		}
	}
	switch len(given) {
	case 0:
		return "", nil
	case 1:
		return given[0], nil
	}
	for i, n := range given {
		given[i] = v.called(n)
	}
	return "", fmt.Errorf("%s contradict each other; keep one of them", strings.Join(given, " and "))
}

// fileError says what is wrong with the files that a property names.
func (v *values) fileError(property string, files []string, err error) error {
	if len(files) == 0 {
		return v.errorf(property, "%w", err)
	}
	return v.errorf(property, "%s: %w", strings.Join(files, ", "), err)
}
