package security

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
)

// What files begin with.
const (
	jksMagic   = 0xFEEDFEED
	jceksMagic = 0xCECECECE
)

var errJKS = errors.New("it is damaged: not a JKS store of version 1 or 2")

// loadJKS opens a store. Without a password its checksum, which is made with the password, is not looked at, as in Java.
func (f *keyFile) loadJKS(b []byte) (*keystore.KeyStore, error) {
	if err := checkJKS(b); err != nil {
		return nil, err
	}
	if !f.hasPassword {
		b = bytes.Clone(b)
		content := len(b) - sha1.Size
		h := sha1.New()
		h.Write([]byte("Mighty Aphrodite")) // The format's own salt.
		h.Write(b[:content])
		copy(b[content:], h.Sum(nil))
	}
	store := keystore.New(keystore.WithOrderedAliases(), keystore.WithCaseExactAliases())
	if err := store.Load(bytes.NewReader(b), []byte(f.password)); err != nil {
		if f.hasPassword {
			return nil, f.wrongPassword(jksStore)
		}
		return nil, errJKS
	}
	return &store, nil
}

func (f *keyFile) jksTrusted(b []byte) ([]*x509.Certificate, error) {
	store, err := f.loadJKS(b)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for _, alias := range store.Aliases() {
		if !store.IsTrustedCertificateEntry(alias) {
			continue
		}
		entry, err := store.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, err
		}
		c, err := x509.ParseCertificate(entry.Certificate.Content)
		if err != nil {
			return nil, fmt.Errorf("the certificate %s: %w", alias, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (f *keyFile) jksIdentities(b []byte) ([]tls.Certificate, error) {
	if !f.hasPassword && f.keyPassword == "" {
		return nil, f.wrongPassword(jksStore)
	}
	store, err := f.loadJKS(b)
	if err != nil {
		return nil, err
	}
	password, name := f.keyPassword, f.keyPasswordName
	if password == "" {
		password, name = f.password, f.passwordName
	}
	var out []tls.Certificate
	for _, alias := range store.Aliases() {
		if !store.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := store.GetPrivateKeyEntry(alias, []byte(password))
		if err != nil {
			return nil, fmt.Errorf("%s does not open the key %s (ssl.key.password is for keys with a password of their own)", name, alias)
		}
		key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("the key %s: %w", alias, err)
		}
		var chain []*x509.Certificate
		for _, content := range entry.CertificateChain {
			c, err := x509.ParseCertificate(content.Content)
			if err != nil {
				return nil, fmt.Errorf("the certificate of the key %s: %w", alias, err)
			}
			chain = append(chain, c)
		}
		c, err := identity(key, chain)
		if err != nil {
			return nil, fmt.Errorf("the key %s: %w", alias, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// checkJKS walks over a store and finds out whether all lengths in it fit: the library makes room for whatever they say.
func checkJKS(b []byte) error {
	w := jksWalk{rest: b, ok: true}
	if w.number(4) != jksMagic {
		return errJKS
	}
	version := w.number(4)
	if version != 1 && version != 2 {
		return errJKS
	}
	for n := w.number(4); n > 0 && w.ok; n-- {
		tag := w.number(4)
		w.skip(w.number(2)) // alias
		w.skip(8)           // time
		certificates := uint64(1)
		switch tag {
		case 1: // private key
			w.skip(w.number(4))
			certificates = w.number(4)
			// Each takes some bytes: so many cannot be there.
			w.ok = w.ok && certificates <= uint64(len(w.rest))
		case 2: // trusted certificate
		default:
			return errJKS
		}
		for ; certificates > 0 && w.ok; certificates-- {
			if version == 2 {
				w.skip(w.number(2)) // type
			}
			w.skip(w.number(4))
		}
	}
	if !w.ok || len(w.rest) != sha1.Size {
		return errJKS
	}
	return nil
}

// jksWalk is a walk over bytes; ok turns false where there are not enough of them.
type jksWalk struct {
	rest []byte
	ok   bool
}

func (w *jksWalk) skip(n uint64) []byte {
	if !w.ok || n > uint64(len(w.rest)) {
		w.ok = false
		return nil
	}
	b := w.rest[:n]
	w.rest = w.rest[n:]
	return b
}

// number reads a number of 2 or 4 bytes.
func (w *jksWalk) number(size int) uint64 {
	b := w.skip(uint64(size))
	if b == nil {
		return 0
	}
	if size == 2 {
		return uint64(binary.BigEndian.Uint16(b))
	}
	return uint64(binary.BigEndian.Uint32(b))
}
