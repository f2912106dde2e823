// zoom rooms
public class Startup {
    void Map(IEndpointRouteBuilder app) { app.MapPost("/meeting/create", Create); }
}
