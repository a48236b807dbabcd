using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace DataHub;

/// <summary>Reads the forms of the hub's own pages.</summary>
internal static class FormBody
{
    /// <summary>The fields that a browser has sent.</summary>
    /// <param name="size">What is taken at most; null: a small form.</param>
    /// <returns>The fields, or the problem to answer with.</returns>
    public static async Task<(IFormCollection? Form, IResult? Problem)> ReadFieldsAsync(this HttpContext http, FormSize? size = null)
    {
        size ??= FormSize.Small;
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) || !type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            return (null, Problems.Problem(http, ProblemTypes.UnsupportedType, new("Hier wird ein Formular erwartet (application/x-www-form-urlencoded).", "A form is expected here (application/x-www-form-urlencoded).")));
        if (http.Request.ContentLength > size.MaxBytes) return (null, Requests.TooLarge(http, size.MaxBytes));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = size.MaxBytes;
        try
        {
            return (await http.Request.ReadFormAsync(size.Options, http.RequestAborted), null);
        }
        catch (InvalidDataException)
        {
            return (null, Problems.Problem(http, ProblemTypes.BadRequest, new($"Ein Formular hat hier höchstens {size.MaxFields} Felder.", $"A form has at most {size.MaxFields} fields here.")));
        }
    }
}

/// <summary>How large a form may be.</summary>
/// <param name="MaxBytes">As it is sent.</param>
/// <param name="MaxValue">Of one field, in characters.</param>
internal sealed record FormSize(int MaxBytes, int MaxFields, int MaxValue)
{
    /// <summary>Most forms.</summary>
    public static FormSize Small { get; } = new(65_536, 50, 10_000);

    public FormOptions Options { get; } = new() { ValueCountLimit = MaxFields, KeyLengthLimit = 100, ValueLengthLimit = MaxValue, BufferBody = false };
}
