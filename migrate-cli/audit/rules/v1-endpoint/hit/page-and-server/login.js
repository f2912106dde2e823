angular.module('school').controller('LoginCtrl', function ($scope, $http) {
  $scope.enter = function () {
    zoom.connect('https://www.zoom.us/api/v1');
    zoom.login({ email: $scope.email, password: $scope.password }, $scope.done);
  };
  $http.post('/user/create', $scope.person);
  fetch('/meeting/list').then($scope.show);
});
