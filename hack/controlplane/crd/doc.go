// Package crd installs CustomResourceDefinitions.
package crd
