using MessagePack;
using MessagePack.Formatters;

namespace DataHub.Storage;

/// <summary>
/// MessagePack for types with <c>[GenerateSerializer]</c> and <c>[Id]</c>s, so that one set of numbers pins a type on
/// the wire and at rest; enums by their numbers. Everything else is left to the next resolver.
/// </summary>
/// <remarks>Collections come back with their default comparers; a state that needs another order sorts what it read.</remarks>
internal sealed class IdResolver : IFormatterResolver
{
    public static readonly IdResolver Instance = new();

    private IdResolver()
    {
    }

    public IMessagePackFormatter<T>? GetFormatter<T>() => Cache<T>.Formatter;

    private static class Cache<T>
    {
        public static readonly IMessagePackFormatter<T>? Formatter = Make();

        private static IMessagePackFormatter<T>? Make()
        {
            var type = typeof(T);
            if (type.IsEnum) return (IMessagePackFormatter<T>)Activator.CreateInstance(typeof(GenericEnumFormatter<>).MakeGenericType(type))!;
            return type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false) ? (IMessagePackFormatter<T>)(object)new IdFormatter<T>() : null;
        }
    }
}
