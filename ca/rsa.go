package ca

import (
	"errors"
	"fmt"
	"math/big"
)

const (
	factorBound  = 752 // as boulder's goodkey looks for small factors
	fermatRounds = 110 // as boulder does: enough for every key found in the wild
)

// checkModulus finds properties of an RSA modulus from which the private key can be computed.
func checkModulus(n *big.Int) error {
	if p := smallFactor(n); p != 0 {
		return fmt.Errorf("the RSA modulus is divisible by %d; make another key", p)
	}
	if isROCA(n) {
		return errors.New("the RSA key was made by the faulty generator of CVE-2017-15361 (ROCA); make another key")
	}
	if closePrimes(n) {
		return errors.New("the primes of the RSA key are so close that it can be factored; make another key")
	}
	return nil
}

// smallFactor returns a prime below factorBound that divides n, or 0.
func smallFactor(n *big.Int) int {
	for p := 2; p < factorBound; p++ {
		if isPrime(p) && remainder(n, p) == 0 {
			return p
		}
	}
	return 0
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

func remainder(n *big.Int, m int) int {
	var r big.Int
	return int(r.Mod(n, big.NewInt(int64(m))).Int64())
}

// isROCA reports whether n has the structure of keys of the generator in CVE-2017-15361: modulo
// each of these primes it is a power of 65537. Another key has it with a probability below 2^-27.
//
// Source: Nemec and others, "The Return of Coppersmith's Attack", CCS 2017, 3.1.
func isROCA(n *big.Int) bool {
	for _, p := range []int{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		if !isPower(remainder(n, p), p) {
			return false
		}
	}
	return true
}

// isPower reports whether r is a power of 65537 modulo p.
func isPower(r, p int) bool {
	g := 65537 % p
	for x := g; ; x = x * g % p {
		if x == r {
			return true
		}
		if x == 1 {
			return false
		}
	}
}

// closePrimes tries Fermat's method: n = a*a - b*b for an a just above its square root.
//
// Source: CVE-2022-26320.
func closePrimes(n *big.Int) bool {
	one := big.NewInt(1)
	a := new(big.Int).Sqrt(n)
	if new(big.Int).Mul(a, a).Cmp(n) == 0 {
		return true
	}
	a.Add(a, one)
	rest := new(big.Int).Mul(a, a)
	rest.Sub(rest, n)
	for range fermatRounds {
		if isSquare(rest) {
			return true
		}
		rest.Add(rest, new(big.Int).Lsh(a, 1)).Add(rest, one) // (a+1)² - n
		a.Add(a, one)
	}
	return false
}

// isSquare excludes most numbers by their remainders modulo a few small ones, as in Cohen, "A
// Course in Computational Algebraic Number Theory", algorithm 1.7.3; a square root is slow.
func isSquare(n *big.Int) bool {
	low := remainder(n, 64*63*65*11)
	for _, m := range []int{64, 63, 65, 11} {
		if !isSquareModulo(low%m, m) {
			return false
		}
	}
	root := new(big.Int).Sqrt(n)
	return root.Mul(root, root).Cmp(n) == 0
}

func isSquareModulo(r, m int) bool {
	for x := range m/2 + 1 {
		if x*x%m == r {
			return true
		}
	}
	return false
}
