"""Keys, encryption, checksums and signatures, by `cryptography`."""
