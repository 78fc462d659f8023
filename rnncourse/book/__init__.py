"""The book's own tooling: notebooks in their normal form, parallel execution, the build, and the Sphinx extension.

`python -m rnncourse.book` is its command line. Nothing here is imported by the numerical package.
"""
