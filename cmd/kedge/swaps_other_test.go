//go:build !linux

package main

func swapper() {}
