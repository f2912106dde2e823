"""Zoom components for both versions."""


class UserComponent(Base):
    def list(self, **params):
        return self.post_request("/user/list", params=params)

    def me(self):
        return self.get_request("/user/me")


class MetricComponentV2(Base):
    def list(self, **params):
        return self.get_request("/metrics/meetings", params=params)


class UserComponentV2(Base):
    def list(self, **params):
        return self.get_request("/users", params=params)
