// Package spelling finds the name that a misspelt word probably stands for: of a command, a flag, or a key of a
// configuration. cobra's own suggestions are for commands alone.
package spelling

import "strings"

// MaxLength is the size in bytes of the longest word to which names are compared.
const MaxLength = 40

// DidYouMean returns "did you mean NAME? " for the name that is closest to a misspelt word; it is empty if there is none.
func DidYouMean(word string, names []string) string {
	if name := Closest(word, names); name != "" {
		return "did you mean " + name + "? "
	}
	return ""
}

// Closest returns the name that a misspelt word probably stands for: one that it begins, or the one with
// the fewest differences, two at most and half of the word. It is empty if there is none.
func Closest(word string, names []string) (name string) {
	if len(word) < 2 || len(word) > MaxLength {
		return ""
	}
	least := min(2, len(word)/2) + 1
	for _, n := range names {
		d := Distance(word, n)
		if strings.HasPrefix(n, word) {
			d = 0
		}
		if d < least {
			name, least = n, d
		}
	}
	return name
}

// Distance returns how many bytes must be inserted, removed or replaced to make b of a (Levenshtein).
func Distance(a, b string) int {
	row := make([]int, len(b)+1) // of the matrix, for the bytes of a so far
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
