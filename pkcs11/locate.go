package pkcs11

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// defaultModule is the module that stands for all that p11-kit has configured.
const defaultModule = "p11-kit-proxy"

// FindHelper returns the path of kedge-pkcs11: given, where that is not empty, or beside this
// program, or in ../libexec/kedge from there. The error is a *MissingHelperError.
func FindHelper(given string) (string, error) {
	candidates := []string{given}
	if given == "" {
		self, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("look for kedge-pkcs11: %w", err)
		}
		if target, err := filepath.EvalSymlinks(self); err == nil {
			self = target
		}
		candidates = helperPaths(filepath.Dir(self))
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &MissingHelperError{Looked: candidates}
}

func helperPaths(dir string) []string {
	name := "kedge-pkcs11"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return []string{filepath.Join(dir, name), filepath.Join(filepath.Dir(dir), "libexec", "kedge", name)}
}

// ModulePath returns the path of the module that Load loads; two URIs with the same one can share
// a Module. It is the one given, as Options.Module, then module-path and module-name of the URI,
// then p11-kit-proxy. Of what is no path it is the name, RFC 7512 section 2.3.
func ModulePath(u URI, given string) (string, error) {
	path, name := u.value("module-path"), u.value("module-name")
	switch {
	case strings.ContainsAny(given, `/\`):
		path, name = given, ""
	case given != "":
		path, name = "", given
	}
	if path == "" {
		if name == "" {
			name = defaultModule
		}
		return findModule(name, moduleDirs())
	}
	if given == "" && !filepath.IsAbs(path) {
		return "", fmt.Errorf("module-path %q: must be an absolute path", path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("PKCS#11 module: %w", err)
	case !info.IsDir():
		return path, nil
	case name == "":
		return "", fmt.Errorf("PKCS#11 module %s: is a folder; module-name must say which module in it", path)
	}
	return findModule(name, []string{path})
}

// findModule looks for a module by its name: without regard to case, with or without "lib" and
// what a library's name ends with, RFC 7512 section 2.3.
func findModule(name string, dirs []string) (string, error) {
	if strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("PKCS#11 module %q: a module-name cannot have a slash; module-path takes one", name)
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // most systems have a few of them only
		}
		for _, e := range entries {
			if !e.IsDir() && namesModule(e.Name(), name) {
				return filepath.Join(dir, e.Name()), nil
			}
		}
	}
	return "", &NoModuleError{Name: name, Looked: dirs}
}

func namesModule(file, name string) bool {
	if strings.EqualFold(file, name) {
		return true
	}
	ext := filepath.Ext(file)
	switch strings.ToLower(ext) {
	case ".so", ".dylib", ".dll":
	default:
		return false
	}
	base := strings.TrimSuffix(file, ext)
	return strings.EqualFold(base, name) || strings.EqualFold(base, "lib"+name)
}

// moduleDirs are the folders where systems keep modules, the most likely first.
func moduleDirs() []string {
	if runtime.GOOS == "windows" {
		return []string{`C:\Windows\System32`}
	}
	var dirs []string
	for _, lib := range []string{"/usr/lib/" + multiarch(), "/usr/lib64", "/usr/lib", "/usr/local/lib", "/opt/homebrew/lib"} {
		dirs = append(dirs, lib+"/pkcs11", lib, lib+"/softhsm")
	}
	return dirs
}

// multiarch is Debian's name for this machine's libraries.
func multiarch() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64-linux-gnu"
	case "arm64":
		return "aarch64-linux-gnu"
	}
	return runtime.GOARCH + "-linux-gnu"
}
