package pbe

import "fmt"

// MaxIterations bounds one key derivation, counted once for each block of hash output that
// the key takes: a few seconds.
const MaxIterations = 10_000_000

// maxSpent is room for 600 000 iterations, as OWASP recommends, in every derivation over a
// PKCS#12 file, and for whatever a tool writes otherwise.
const maxSpent = 2 * MaxIterations

// Budget bounds the key derivations over one file together: over all its parts and all the
// passwords that are tried. The zero Budget is unspent. It must not be shared by goroutines.
type Budget struct{ spent int }

// spend takes what one derivation costs, or refuses it: iterations must be positive, and the
// work, times the blocks, within the bounds.
func (b *Budget) spend(iterations, blocks int) error {
	if most := MaxIterations / blocks; iterations < 1 || iterations > most {
		return fmt.Errorf("key derivation of %d iterations, must be 1 to %d", iterations, most)
	}
	if b.spent += iterations * blocks; b.spent > maxSpent {
		return fmt.Errorf("key derivations of more than %d iterations altogether", maxSpent)
	}
	return nil
}

// blocks is how often a derivation runs to fill size bytes.
func blocks(size, hashSize int) int { return (size-1)/hashSize + 1 }
