"""What a check lends a function in place of the student's own: correct versions of the functions that it calls.

One module for each problem set. They are written as a student would, views included, and depend on NumPy alone. A wrong
argument is named in the words of the problem set.
"""
