// Prints the scripts of Go's Unicode tables, a line each: `Greek 370-373 375-377 ...`.
package main

import (
	"fmt"
	"sort"
	"unicode"
)

func main() {
	names := []string{}
	for name := range unicode.Scripts {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Print(name)
		for code := rune(0); code <= unicode.MaxRune; code++ {
			first := code
			for unicode.Is(unicode.Scripts[name], code) {
				code++
			}
			if code > first+1 {
				fmt.Printf(" %x-%x", first, code-1)
			} else if code > first {
				fmt.Printf(" %x", first)
			}
		}
		fmt.Println()
	}
}
