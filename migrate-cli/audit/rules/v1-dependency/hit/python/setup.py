from setuptools import setup

setup(
    name="rooms",
    install_requires=["requests", "zoomus==0.1.7"],
)
