using System.Globalization;
using System.Text.Json.Nodes;

using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace DataHub;

/// <summary><c>/openapi/v1.json</c>: every route with its answers and examples.</summary>
internal static class PublicDescription
{
    private const string KeyScheme = "key";

    /// <summary>Older names of content types that are taken too; the description has each type once.</summary>
    public static readonly string[] OtherNames = ["application/ndjson", "application/jsonl", "application/msgpack", "application/x-msgpack"];

    public static void AddPublicDescription(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new()
            {
                Title = "DataHub",
                Version = "v1",
                Description = "Agencies push rows, the hub checks, stores, aggregates and publishes them as indicators. Errors are RFC 9457 problems; every word is explained at /problems.",
            };

            // Whichever host answers: a proxy's name must not get into the description.
            document.Servers = [new() { Url = "/" }];
            document.Components ??= new();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[KeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An agency's API key, dh_…; given out by the agency's administrators.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<RouteParameter>())
            {
                operation.Parameters ??= [];
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = parameter.Name,
                    In = ParameterLocation.Query,
                    Description = parameter.Meaning,
                    Schema = new OpenApiSchema { Type = parameter.Type },
                });
            }

            // Public reads need no key; everything that changes something does.
            if (context.Description.HttpMethod is not ("GET" or "HEAD") && context.Document is { } document)
            {
                operation.Security = [new() { [new OpenApiSecuritySchemeReference(KeyScheme, document)] = [] }];
            }

            foreach (var name in OtherNames) operation.RequestBody?.Content?.Remove(name);

            // HEAD answers as GET does.
            var method = context.Description.HttpMethod == "HEAD" ? "GET" : context.Description.HttpMethod;
            var route = $"{method} /{context.Description.RelativePath?.TrimEnd('/')}";
            foreach (var parameter in PublicExamples.Parameters[route])
            {
                operation.Parameters ??= [];
                if (operation.Parameters.Any(known => known.Name == parameter.Name)) continue;
                operation.Parameters.Add(new OpenApiParameter
                {
                    Name = parameter.Name,
                    In = ParameterLocation.Query,
                    Description = parameter.Meaning,
                    Schema = new OpenApiSchema { Type = Enum.Parse<JsonSchemaType>(parameter.Type, ignoreCase: true) },
                });
            }

            foreach (var example in context.Description.ActionDescriptor.EndpointMetadata.OfType<RouteExample>()) Show(operation, example.Status, example.ContentType, example.Text);
            foreach (var example in PublicExamples.All[route]) Show(operation, example.Status, example.ContentType, example.Text);
            return Task.CompletedTask;
        });
    });

    public static void MapPublicDescription(this IEndpointRouteBuilder routes) => routes.MapOpenApi("/openapi/{documentName}.json").ExcludeFromDescription();

    private static void Show(OpenApiOperation operation, int? status, string contentType, string text)
    {
        var content = operation.RequestBody?.Content;
        if (status is not null)
        {
            content = operation.Responses is { } responses && responses.TryGetValue(status.Value.ToString(CultureInfo.InvariantCulture), out var found) && found is OpenApiResponse response
                ? response.Content ??= new Dictionary<string, OpenApiMediaType>()
                : null;
        }

        if (content is null) return;
        if (!content.TryGetValue(contentType, out var media)) content[contentType] = media = new();
        media.Example = contentType.EndsWith("json", StringComparison.Ordinal) && contentType != "application/x-ndjson" ? JsonNode.Parse(text) : JsonValue.Create(text);
    }

    /// <summary>Shows what a body of this route looks like.</summary>
    /// <param name="route">The route.</param>
    /// <param name="text">The body.</param>
    /// <param name="status">Of the answer; null: the request's body.</param>
    /// <param name="contentType">Of the body.</param>
    public static RouteHandlerBuilder Example(this RouteHandlerBuilder route, string text, int? status = null, string contentType = "application/json") =>
        route.WithMetadata(new RouteExample(status, contentType, text));

    /// <summary>Describes a query parameter that the route reads by itself.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, string name, string meaning, JsonSchemaType type = JsonSchemaType.String) =>
        route.WithMetadata(new RouteParameter(name, meaning, type));

    /// <summary>Describes <c>limit</c> and <c>after</c> of a list of ids.</summary>
    public static RouteHandlerBuilder Paged(this RouteHandlerBuilder route) => route
        .Takes("limit", $"Entries of the page, 1 to {Requests.MaxPage}.", JsonSchemaType.Integer)
        .Takes("after", "Only entries whose id is greater; as in the answer's next.")
        .Refuses(400);

    private sealed record RouteParameter(string Name, string Meaning, JsonSchemaType Type);

    private sealed record RouteExample(int? Status, string ContentType, string Text);
}
