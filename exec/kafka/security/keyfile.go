package security

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// storeKind is how certificates and keys are kept in a file.
type storeKind string

const (
	pemStore    storeKind = "PEM"
	jksStore    storeKind = "JKS"
	pkcs12Store storeKind = "PKCS12"
)

// keyFile is a file of certificates and keys, of any kind, and what is needed to open it.
type keyFile struct {
	path string
	// kind is what it is said to be; empty means whatever it looks like.
	kind storeKind
	// password is for the whole file, keyPassword for the keys in it where that is another one.
	password, keyPassword string
	hasPassword           bool
	// The names of the properties, for messages.
	passwordName, keyPasswordName, kindName string
}

// mostBytes bounds the size of a file that is taken for one of certificates.
const mostBytes = 16 << 20

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", reason(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be read: %w", reason(err))
	case len(b) > mostBytes:
		return nil, fmt.Errorf("it has more than %d MB: not a file of certificates", mostBytes>>20)
	}
	return b, nil
}

// open reads the file and finds out what it is. As with Java, what is called JKS may be PKCS12 and the other way round.
func (f *keyFile) open() ([]byte, storeKind, error) {
	b, err := readFile(f.path)
	if err != nil {
		return nil, "", err
	}
	kind := pkcs12Store
	switch {
	case len(b) == 0:
		return nil, "", fmt.Errorf("it is empty")
	case len(b) >= 4 && binary.BigEndian.Uint32(b) == jksMagic:
		kind = jksStore
	case len(b) >= 4 && binary.BigEndian.Uint32(b) == jceksMagic:
		return nil, "", fmt.Errorf("it is a JCEKS store, which is not supported; keytool -importkeystore -deststoretype PKCS12 makes one that is")
	case bytes.Contains(b, []byte("-----BEGIN ")):
		kind = pemStore
	case b[0] != 0x30: // What PKCS12 begins with.
		return nil, "", fmt.Errorf("it is neither PEM nor PKCS12 nor JKS")
	}
	if f.kind != "" && (f.kind == pemStore) != (kind == pemStore) {
		return nil, "", fmt.Errorf("it is %s, but %s says %s", kind, f.kindName, f.kind)
	}
	return b, kind, nil
}

// trusted are the certificates that the file says are trusted.
func (f *keyFile) trusted() ([]*x509.Certificate, error) {
	b, kind, err := f.open()
	if err != nil {
		return nil, err
	}
	switch kind {
	case pemStore:
		return pemCertificates(string(b))
	case jksStore:
		return f.jksTrusted(b)
	}
	return f.pkcs12Trusted(b)
}

// identities are the keys in the file with their certificates.
func (f *keyFile) identities() ([]tls.Certificate, error) {
	b, kind, err := f.open()
	if err != nil {
		return nil, err
	}
	switch kind {
	case pemStore:
		return pemIdentity(string(b), string(b), f.keyPassword, f.keyPasswordName)
	case jksStore:
		return f.jksIdentities(b)
	}
	return f.pkcs12Identities(b)
}

// wrongPassword is the error of a password that does not open the file, or of none.
func (f *keyFile) wrongPassword(kind storeKind) error {
	if !f.hasPassword {
		return fmt.Errorf("a %s store needs its password, and %s is not set", kind, f.passwordName)
	}
	return fmt.Errorf("%s does not open it (or it is damaged)", f.passwordName)
}
