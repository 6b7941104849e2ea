"""The course machinery: from one complete source tree to the repository that students work in.

    problem    what a check finds wrong: a file, a line, a sentence
    region     exercise regions in the source
    lab        labs/NN-name/lab.toml and labs/course.toml
    source     the whole course as read from the source tree; who owns which file
    consistent the id of an exercise is in all four places
    includes, symbols   a file uses nothing of a later lab
    tree       the files of one branch
    leaks      no line of a solution in a starter
    reference  compiled files of earlier labs
    writer     the student repository
    student    a simulated student who works through it
    workshop   private copies of a tree: build, boot, grade
    patches    mutants, alternates and liars
    checks     all checks, in parallel, in a table
"""
