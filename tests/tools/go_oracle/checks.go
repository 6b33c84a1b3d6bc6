// What Go makes of passwords, keys and certificates that gxo has made, as functions for templates.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"text/template"

	"golang.org/x/crypto/bcrypt"
)

func checks() template.FuncMap {
	return template.FuncMap{
		"checkBcrypt": func(hash, password string) bool {
			return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
		},
		"describeCert": describe,
		"verifyChain":  verify,
	}
}

func parse(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		return nil, fmt.Errorf("this is not one PEM block of a certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// describe tells all of a certificate that does not differ from one to the next.
func describe(text string) (string, error) {
	found, err := parse(text)
	if err != nil {
		return "", err
	}
	extensions := ""
	for _, one := range found.Extensions {
		extensions += fmt.Sprintf(" %v:%v", one.Id, one.Critical)
	}
	return fmt.Sprintf(
		"version %d, %q of %q, by %v with %v, for %v, usage %b %v, names %q %v, authority %v %d, own %d other %d,%s",
		found.Version, found.Subject, found.Issuer, found.SignatureAlgorithm, found.PublicKeyAlgorithm,
		found.NotAfter.Sub(found.NotBefore), found.KeyUsage, found.ExtKeyUsage, found.DNSNames, found.IPAddresses,
		found.IsCA, found.MaxPathLen, len(found.SubjectKeyId), len(found.AuthorityKeyId), extensions,
	), nil
}

// verify says "" when the certificate holds for the name under the authority, else what is wrong.
func verify(certificate, authority, name string) (string, error) {
	leaf, err := parse(certificate)
	if err != nil {
		return "", err
	}
	root, err := parse(authority)
	if err != nil {
		return "", err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
		return err.Error(), nil
	}
	return "", nil
}
