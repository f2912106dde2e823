from setuptools import setup

setup(name='people')
