//go:build cgo && unix

package main

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

// why_not returns why the library cannot be loaded, NULL when it can.
static const char *why_not(const char *path) {
	return dlopen(path, RTLD_LAZY) == NULL ? dlerror() : NULL;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"
)

// loadError says why the module could not be loaded.
func loadError(path string) error {
	if _, err := os.Stat(path); err != nil {
		return err // names the path
	}
	runtime.LockOSThread() // dlerror is the thread's
	defer runtime.UnlockOSThread()
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	if why := C.why_not(name); why != nil {
		return errors.New(C.GoString(why)) // names the path
	}
	return fmt.Errorf("%s: is not a PKCS#11 module: it lacks C_GetFunctionList", path)
}
