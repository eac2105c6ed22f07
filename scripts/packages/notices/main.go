// Command notices prints the licence texts of all that programs link: those of Go, and of each module that their
// build info lists. It fails if one has none.
//
// usage: notices PROGRAM...
package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, programs []string) error {
	linked, err := modules(programs)
	if err != nil {
		return err
	}
	var all bytes.Buffer
	fmt.Fprint(&all, "What is linked into these programs, and the licences of it.\n")
	root, err := command("go", "env", "GOROOT")
	if err != nil {
		return err
	}
	if err := write(&all, "Go", root, false); err != nil {
		return err
	}
	for _, module := range linked {
		dir, err := command("go", "list", "-m", "-f", "{{.Dir}}", module)
		if err != nil {
			return err
		}
		if err := write(&all, module, dir, true); err != nil {
			return err
		}
	}
	_, err = out.Write(all.Bytes())
	return err
}

// modules returns the paths of the modules that programs link, sorted.
func modules(programs []string) ([]string, error) {
	all := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		for _, module := range info.Deps {
			if module.Replace != nil {
				return nil, fmt.Errorf("%s replaces %s", program, module.Path)
			}
			all[module.Path] = true
		}
	}
	if len(all) == 0 {
		return nil, errors.New("give at least one PROGRAM")
	}
	return slices.Sorted(maps.Keys(all)), nil
}

func command(words ...string) (string, error) {
	out, err := exec.Command(words[0], words[1:]...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(words, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// write writes the texts in the folder of a module, and of the folders below: each text once.
func write(all *bytes.Buffer, module, dir string, below bool) error {
	licence := regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|unlicense)([-._].*)?$`)
	found := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && (!below || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !licence.MatchString(d.Name()) || strings.HasSuffix(path, ".go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found++
		if text = bytes.TrimSpace(text); bytes.Contains(all.Bytes(), text) {
			text = []byte("(a text that stands above)")
		}
		name, err := filepath.Rel(dir, path)
		fmt.Fprintf(all, "\n%s\n%s, %s\n\n%s\n", strings.Repeat("=", 78), module, filepath.ToSlash(name), text)
		return err
	})
	if err == nil && found == 0 {
		return fmt.Errorf("%s has no licence in %s", module, dir)
	}
	return err
}
